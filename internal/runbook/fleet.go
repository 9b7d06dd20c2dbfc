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
type fleet struct{ chatops.Fleet }

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
	return &fleet{chatops.Fleet{Controls: controls, Replicas: replicas}}, nil
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
var integrations = chatops.UsualBreakers()

// breakers are the names of all breakers that are known, those of the webhooks
// that are configured here too.
func (f *fleet) breakers(cfg *config.Config) []string {
	hooks := make([]string, 0, len(cfg.Webhooks))
	for _, hook := range cfg.Webhooks {
		hooks = append(hooks, "webhook:"+hook.Name)
	}
	return f.BreakerNames(hooks...)
}

// tripped reports whether an order keeps a breaker open.
func (f *fleet) tripped(name string) bool {
	o := f.Order(name)
	return o != nil && o.Mode == chatops.BreakerTripped
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
