package ratelimit

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"chatops/internal/chatops"
)

// Block refuses every request of a network.
type Block struct {
	Network netip.Prefix
	Reason  string
	Left    time.Duration // until it ends; 0: it has no end
}

// blocks is what operators have blocked. It does not change.
type blocks struct {
	v4, v6   []int // lengths of the networks, longest first
	networks map[netip.Prefix]blocked
}

type blocked struct {
	reason string
	until  int64 // nanoseconds since the start; 0: never
}

// newBlocks keeps the blocks that can be read and returns the others' number.
func newBlocks(orders []chatops.ClientBlock, untilFunc func(time.Time) int64) (b *blocks, bad int) {
	b = &blocks{networks: map[netip.Prefix]blocked{}}
	for i := range orders {
		network, err := netip.ParsePrefix(orders[i].Network)
		if err != nil {
			bad++
			continue
		}
		network = plain(network)
		b.networks[network] = blocked{reason: orders[i].Reason, until: untilFunc(orders[i].Until)}
		lengths := &b.v6
		if network.Addr().Is4() {
			lengths = &b.v4
		}
		*lengths = append(*lengths, network.Bits())
	}
	for _, lengths := range []*[]int{&b.v4, &b.v6} {
		slices.SortFunc(*lengths, func(a, b int) int { return cmp.Compare(b, a) })
		*lengths = slices.Compact(*lengths)
	}
	return b, bad
}

// plain writes a network of mapped IPv4 addresses as one of IPv4 addresses.
func plain(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// find returns the narrowest block that an address falls under.
func (b *blocks) find(a netip.Addr, ns int64) (Block, bool) {
	a = a.Unmap().WithZone("")
	lengths := b.v6
	if a.Is4() {
		lengths = b.v4
	}
	for _, bits := range lengths {
		network, err := a.Prefix(bits)
		if err != nil {
			return Block{}, false
		}
		if found, ok := b.networks[network]; ok && (found.until == 0 || ns < found.until) {
			left := time.Duration(0)
			if found.until != 0 {
				left = time.Duration(found.until - ns)
			}
			return Block{Network: network, Reason: found.reason, Left: left}, true
		}
	}
	return Block{}, false
}
