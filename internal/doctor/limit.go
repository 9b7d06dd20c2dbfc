package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// manyClients is how many refused clients say that the limit is wrong, and not
// the clients.
const manyClients = 5

func checkLimits(ctx context.Context, p *Patient) (Result, error) {
	f, err := fleetOf(ctx, p)
	if err != nil {
		return Result{}, err
	}
	var list []Finding
	var denied int64
	for _, name := range f.LimitNames() {
		l := f.Limit(name)
		denied += l.Denied
		list = append(list, limitFindings(p, &l, f.Controls.Now)...)
	}
	for i := range f.Controls.Blocks {
		list = append(list, wideBlock(&f.Controls.Blocks[i])...)
	}
	for _, r := range chatops.Live(f.Replicas) {
		if l := &r.Report.Limiter; !l.Enabled && len(l.Limits) > 0 {
			list = append(list, Finding{Warning, "nobody is limited on " + chatops.Harmless(r.Name), "RATE_LIMIT_ENABLED=false there", "chatops config view --show-origin"})
		}
	}
	seen := fmt.Sprintf("%s refused in the last minute, %s in force, %s blocked", chatops.Count(denied, "request"),
		chatops.Count(len(f.Controls.Overrides), "override"), chatops.Count(len(f.Controls.Blocks), "network"))
	return found(list, seen), nil
}

func limitFindings(p *Patient, l *chatops.FleetLimit, now time.Time) []Finding {
	var list []Finding
	name := chatops.Harmless(l.Name)
	who := len(l.TopDenied)
	switch {
	case l.Denied > 0 && who >= manyClients:
		list = append(list, Finding{
			Problem, fmt.Sprintf("limit %s refuses %d a minute to %d clients or more", name, l.Denied, who),
			chatops.Harmless(l.Value) + " is too low for what happens", "chatops limiter set " + quote(l.Name) + " '" + raised(l.Value) + "' --for 30m --reason campaign",
		})
	case l.Denied > 0 && who > 0 && !p.Settings.TrustedProxies && private(l.TopDenied[0].Client):
		list = append(list, Finding{
			Problem, fmt.Sprintf("limit %s refuses %d a minute to %s, which may be your own proxy", name, l.Denied, chatops.Harmless(l.TopDenied[0].Client)),
			"its X-Forwarded-For is not believed: TRUSTED_PROXIES is not set", "chatops limiter set " + quote(l.Name) + " '" + raised(l.Value) + "' --for 30m --reason proxy",
		})
	}
	if fresh, same := l.Agreeing(); fresh != same {
		list = append(list, Finding{
			Warning, fmt.Sprintf("%d of %d replicas hold another limit %s than %s", fresh-same, fresh, name, chatops.Harmless(l.Value)),
			"their settings differ", "chatops limiter status -o wide",
		})
	}
	if o := l.Override; o != nil && o.Until.IsZero() {
		cause := "an operator has changed it"
		if o.Reason != "" {
			cause += ": " + chatops.Harmless(o.Reason)
		}
		list = append(list, Finding{
			Warning, fmt.Sprintf("limit %s is overridden by %s for %s without an end: %s", name, chatops.Harmless(o.Actor),
				chatops.Span(now.Sub(o.CreatedAt).Truncate(time.Second)), chatops.Harmless(o.Value)),
			cause, "chatops limiter unset " + quote(l.Name),
		})
	}
	return list
}

// private reports an address that no visitor has.
func private(client string) bool {
	text, _, _ := strings.Cut(client, "/")
	a, err := netip.ParseAddr(text)
	return err == nil && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast())
}

var firstNumber = regexp.MustCompile(`\d+`)

// raised is a limit of twice the number of requests.
func raised(limit string) string {
	parts := strings.Split(chatops.Harmless(limit), ";")
	for i, part := range parts {
		at := firstNumber.FindStringIndex(part)
		if at == nil {
			continue
		}
		if n, err := strconv.ParseInt(part[at[0]:at[1]], 10, 32); err == nil {
			parts[i] = part[:at[0]] + strconv.FormatInt(2*n, 10) + part[at[1]:]
		}
	}
	return strings.ReplaceAll(strings.Join(parts, ";"), "'", "")
}

// The lengths of networks below which a block may hold many visitors.
const (
	wideV4 = 16
	wideV6 = 32
)

func wideBlock(b *chatops.ClientBlock) []Finding {
	n, err := netip.ParsePrefix(b.Network)
	if err != nil {
		return nil
	}
	if n.Addr().Is4() && n.Bits() >= wideV4 || n.Addr().Is6() && n.Bits() >= wideV6 {
		return nil
	}
	return []Finding{{
		Warning, fmt.Sprintf("%s is blocked by %s and may hold many visitors", n, chatops.Harmless(b.Actor)),
		chatops.Harmless(b.Reason), "chatops limiter unblock " + n.String(),
	}}
}

func checkRedis(ctx context.Context, p *Patient) (Result, error) {
	var list []Finding
	const repair = "systemctl restart redis-server"
	backends := map[string]int{}
	if p.Store != nil {
		replicas, err := p.Store.Instances(ctx)
		if err != nil {
			return Result{}, err
		}
		for _, r := range chatops.Live(replicas) {
			backends[r.Report.Limiter.Backend]++
		}
	}
	local, all := backends["local"], backends["local"]+backends["redis"]
	if p.RedisFunc == nil && backends["redis"] == 0 {
		return skipped("REDIS_URL is not set: each replica counts by itself"), nil
	}
	if p.RedisFunc != nil {
		if err := p.RedisFunc(ctx); err != nil {
			list = append(list, Finding{Problem, "Redis does not answer", wordError(ctx, err, p.timeout), repair})
		}
	}
	if local > 0 {
		list = append(list, Finding{
			Problem, fmt.Sprintf("%d of %d replicas count without Redis", local, all),
			"they do not reach it; nobody is refused for that, and a client has the limit once for each of them", repair,
		})
	}
	use := map[bool]string{true: "uses", false: "use"}[all == 1]
	return found(list, fmt.Sprintf("answers, and %s %s it", chatops.Count(all, "replica"), use)), nil
}
