package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// restart is what helps a replica that does not do its part.
const restart = "systemctl restart chatops"

func checkReplicas(ctx context.Context, p *Patient) (Result, error) {
	f, err := fleetOf(ctx, p)
	if err != nil {
		return Result{}, err
	}
	if len(disobeying(f)) > 0 { // an order may be on its way
		chatops.Sleep(ctx, chatops.HeartbeatEvery+time.Second)
		if f, err = fleetOf(ctx, p); err != nil {
			return Result{}, err
		}
	}
	live := chatops.Live(f.Replicas)
	if len(live) == 0 {
		return found([]Finding{{Problem, "no replica reports", "chatops serve does not run, or with another database", "chatops serve"}}, ""), nil
	}
	list := slices.Concat(silent(f.Replicas), versions(live))
	if names := disobeying(f); len(names) > 0 {
		list = append(list, Finding{
			Problem, fmt.Sprintf("%d of %d replicas do not obey the newest order: %s", len(names), len(live), strings.Join(names, ", ")),
			"they cannot read the database", restart,
		})
	}
	return found(list, fmt.Sprintf("%s, version %s", chatops.Count(len(live), "live replica"), chatops.Harmless(live[0].Version))), nil
}

// silent are the replicas that have stopped reporting.
func silent(replicas []chatops.Instance) []Finding {
	var names []string
	for i := range replicas {
		if r := &replicas[i]; r.Stale() {
			names = append(names, fmt.Sprintf("%s for %s", chatops.Harmless(r.Name), chatops.Span(r.Age.Truncate(time.Second))))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []Finding{{
		Warning, fmt.Sprintf("%d of %d replicas stopped reporting: %s", len(names), len(replicas), strings.Join(names, ", ")),
		"killed, frozen or without the database", restart,
	}}
}

// versions finds that replicas run different programs.
func versions(live []chatops.Instance) []Finding {
	by := map[string][]string{}
	for i := range live {
		v := chatops.Harmless(live[i].Version)
		by[v] = append(by[v], chatops.Harmless(live[i].Name))
	}
	if len(by) < 2 {
		return nil
	}
	var parts []string
	for _, v := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, v+" on "+strings.Join(by[v], ", "))
	}
	return []Finding{{Warning, fmt.Sprintf("replicas run %d versions: %s", len(by), strings.Join(parts, "; ")), "an upgrade has not reached every host", restart}}
}

// disobeying are the live replicas that have not seen the newest order.
func disobeying(f *chatops.Fleet) []string {
	var names []string
	for _, r := range chatops.Live(f.Replicas) {
		if r.Revision < f.Controls.Revision {
			names = append(names, chatops.Harmless(r.Name))
		}
	}
	return names
}

// How far clocks may be apart: a little, and before it does harm.
const (
	skewWarning = 2 * time.Second
	skewProblem = 30 * time.Second
)

func checkClocks(ctx context.Context, p *Patient) (Result, error) {
	before := p.NowFunc()
	facts, err := p.Store.Database(ctx)
	if err != nil {
		return Result{}, err
	}
	took := p.NowFunc().Sub(before)
	replicas, err := p.Store.Instances(ctx)
	if err != nil {
		return Result{}, err
	}
	skew := func(whose string, ahead time.Duration) []Finding {
		size := ahead.Abs()
		if size < skewWarning {
			return nil
		}
		f := Finding{Warning, "", "its clock is not kept by NTP, or that of the database's host", "timedatectl set-ntp true"}
		if size >= skewProblem {
			f.State = Problem
		}
		way := map[bool]string{true: "ahead of", false: "behind"}[ahead > 0]
		f.Text = fmt.Sprintf("the clock of %s is %s %s the database's", whose, chatops.Span(size), way)
		return []Finding{f}
	}
	list := skew("this host", before.Add(took/2).Sub(facts.Now))
	checked := 0
	for i := range replicas {
		if r := &replicas[i]; !r.Stale() && !r.Report.Clock.IsZero() {
			checked++
			list = append(list, skew("replica "+chatops.Harmless(r.Name), r.Report.Clock.Sub(r.HeartbeatAt))...)
		}
	}
	return found(list, fmt.Sprintf("this host and %s agree with the database", chatops.Count(checked, "replica"))), nil
}
