package runbook

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// Networks larger than these are blocked only with a warning: a whole provider.
const (
	largeIPv4 = 16
	largeIPv6 = 32
)

// clientIPv6 is the size of the network that counts as one IPv6 client.
const clientIPv6 = 64

// parseNetwork reads a client to block: an address or a network. The network
// comes in its canonical form; the note tells where that is not what was typed.
func parseNetwork(word string) (network netip.Prefix, note string, err error) {
	bad := chatops.Errorf(chatops.CodeUsage, "network %q: must be an address such as 203.0.113.7 or 2001:db8::7, or a network such as 198.51.100.0/24", word)
	if !strings.Contains(word, "/") {
		a, err := netip.ParseAddr(word)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, "", bad
		}
		a = a.Unmap()
		bits := a.BitLen()
		if a.Is6() {
			bits = clientIPv6
			note = fmt.Sprintf("note: %s stands for its /%d, which counts as one client; write %s/128 for the address alone", a, clientIPv6, a)
		}
		network, err = a.Prefix(bits)
		return network, note, err
	}
	network, err = netip.ParsePrefix(word)
	if err != nil {
		return netip.Prefix{}, "", bad
	}
	if a, bits := network.Addr(), network.Bits()-96; a.Is4In6() {
		if bits < 0 {
			return netip.Prefix{}, "", bad
		}
		network = netip.PrefixFrom(a.Unmap(), bits)
	}
	if masked := network.Masked(); masked != network {
		note = fmt.Sprintf("note: %s is written %s", word, masked)
		network = masked
	}
	return network, note, nil
}

// parseNetworks reads the arguments of a verb, each network once, and the notes.
func parseNetworks(verb string, words []string) (networks []netip.Prefix, notes []string, err error) {
	for _, word := range words {
		network, note, err := parseNetwork(word)
		if err != nil {
			return nil, nil, err
		}
		if slices.Contains(networks, network) {
			continue
		}
		networks = append(networks, network)
		if note != "" {
			notes = append(notes, note)
		}
	}
	if len(networks) == 0 {
		return nil, nil, hint(chatops.Errorf(chatops.CodeUsage, "name an address or a network to %s", verb), "see who is refused most, and who is blocked: chatops limiter status")
	}
	return networks, notes, nil
}

// large reports that a network holds more clients than a block is meant for.
func large(network netip.Prefix) bool {
	if network.Addr().Is4() {
		return network.Bits() < largeIPv4
	}
	return network.Bits() < largeIPv6
}

// planNetworks makes the orders about networks.
func planNetworks(verb string, networks []netip.Prefix, lasts time.Duration, giveFunc func(ctx context.Context, to orderTaker, network string) (int64, time.Time, error)) *orderPlan {
	names := make([]string, len(networks))
	p := &orderPlan{idle: "replicas obey it when they start"}
	for i, network := range networks {
		name := network.String()
		names[i] = name
		p.orders = append(p.orders, order{name: name, mode: verb, giveFunc: func(ctx context.Context, to orderTaker) (int64, time.Time, error) {
			return giveFunc(ctx, to, name)
		}})
	}
	p.change = fmt.Sprintf("%s %s (%s)%s", verb, chatops.Count(len(names), "network"), strings.Join(names, ", "), lasting(lasts))
	p.filter = map[string]any{"networks": names, "for_seconds": lasts.Seconds()}
	return p
}
