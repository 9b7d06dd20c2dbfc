package runbook

import (
	"context"
	"slices"
	"strings"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// fleetStore is what commands about every replica need of a store.
type fleetStore interface {
	orderTaker
	Controls(ctx context.Context) (*chatops.Controls, error)
	Instances(ctx context.Context) ([]chatops.Instance, error)
}

// fleet is what is known of every replica at one moment.
type fleet struct {
	controls *chatops.Controls
	replicas []chatops.Instance
}

// look reads what is ordered and what the replicas report, within the time of a
// command that only looks.
func (e *Env) look(ctx context.Context, store fleetStore) (*fleet, error) {
	ctx, cancel := e.timeout(ctx, readTimeout)
	defer cancel()
	controls, err := store.Controls(ctx)
	if err != nil {
		return nil, err
	}
	replicas, err := store.Instances(ctx)
	if err != nil {
		return nil, err
	}
	return &fleet{controls: controls, replicas: replicas}, nil
}

// showFleet shows what viewFunc makes of the fleet, once or again and again. It
// returns what it showed last.
func (e *Env) showFleet(ctx context.Context, watch bool, viewFunc func(*config.Config, *fleet) (result, error)) (result, error) {
	store, cfg, err := e.openStore(ctx)
	if err != nil {
		return nil, err
	}
	defer e.closing(store)
	look := func(ctx context.Context) (result, error) {
		f, err := e.look(ctx, store)
		if err != nil {
			return nil, unreachable(cfg, err)
		}
		return viewFunc(cfg, f)
	}
	if watch {
		return nil, e.watch(ctx, look)
	}
	res, err := look(ctx)
	if err == nil {
		err = e.render(res)
	}
	return res, err
}

// tellNobody says on a terminal what a table of unknowns means.
func (e *Env) tellNobody() {
	if e.OutTTY {
		e.notef("no running replica reports: is chatops serve running, with this database?")
	}
}

// live are the replicas that report.
func live(replicas []chatops.Instance) []chatops.Instance {
	return slices.DeleteFunc(slices.Clone(replicas), func(i chatops.Instance) bool { return i.Stale() })
}

// stale are the names of the replicas that have stopped reporting.
func stale(replicas []chatops.Instance) []string {
	var names []string
	for i := range replicas {
		if replicas[i].Stale() {
			names = append(names, replicas[i].Name)
		}
	}
	return names
}

// integrations always have a breaker, whether or not a replica runs.
var integrations = []string{"slack", "monday", "email", "llm"}

// breakers are the names of all breakers that are known: of the integrations,
// of the webhooks that are configured here, and what replicas and orders name.
func (f *fleet) breakers(cfg *config.Config) []string {
	var others []string
	for _, hook := range cfg.Webhooks {
		others = append(others, "webhook:"+hook.Name)
	}
	for i := range f.replicas {
		for _, b := range f.replicas[i].Report.Breakers {
			others = append(others, b.Name)
		}
	}
	for i := range f.controls.Breakers {
		others = append(others, f.controls.Breakers[i].Name)
	}
	slices.Sort(others)
	names := slices.Clone(integrations)
	for _, name := range others {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// order is the latest order for a breaker, nil when none was ever given.
func (f *fleet) order(name string) *chatops.BreakerOrder {
	for i := range f.controls.Breakers {
		if f.controls.Breakers[i].Name == name {
			return &f.controls.Breakers[i]
		}
	}
	return nil
}

// tripped reports whether an order keeps a breaker open.
func (f *fleet) tripped(name string) bool {
	o := f.order(name)
	return o != nil && o.Mode == chatops.BreakerTripped
}

// override is the override of a limit that is in force, or nil.
func (f *fleet) override(name string) *chatops.LimitOverride {
	for i := range f.controls.Overrides {
		if f.controls.Overrides[i].Name == name {
			return &f.controls.Overrides[i]
		}
	}
	return nil
}

// choose finds each word among the known names, each once. What is the noun of
// a message.
func choose(what string, words, known []string) ([]string, error) {
	var names []string
	for _, word := range words {
		at := slices.IndexFunc(known, func(name string) bool { return strings.EqualFold(name, word) })
		if at < 0 {
			return nil, hint(chatops.Errorf(chatops.CodeNotFound, "%s %q: not found", what, word), "known are: %s", strings.Join(known, ", "))
		}
		if !slices.Contains(names, known[at]) {
			names = append(names, known[at])
		}
	}
	return names, nil
}
