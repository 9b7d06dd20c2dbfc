package doctor

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"chatops/internal/chatops"
)

func checkSettings(_ context.Context, p *Patient) (Result, error) {
	var list []Finding
	for _, text := range p.Settings.Problems {
		list = append(list, Finding{Problem, chatops.Harmless(text), "", "chatops config check"})
	}
	for _, text := range p.Settings.Warnings {
		list = append(list, Finding{Warning, chatops.Harmless(text), "", "chatops config view --show-origin"})
	}
	return found(list, "the settings are sound"), nil
}

func checkIntegrations(ctx context.Context, p *Patient) (Result, error) {
	switch {
	case len(p.Integrations) == 0:
		return skipped("none is configured here"), nil
	case !p.Probe:
		return skipped("not asked: --probe connects to each of them and sends nothing"), nil
	}
	findings := make([]*Finding, len(p.Integrations))
	names := make([]string, len(p.Integrations))
	var wg sync.WaitGroup
	for i := range p.Integrations {
		one := &p.Integrations[i]
		names[i] = chatops.Harmless(one.Name)
		wg.Go(func() {
			if err := one.ProbeFunc(ctx); err != nil {
				findings[i] = &Finding{
					Problem, names[i] + " cannot be reached from here", wordError(ctx, err, p.timeout),
					"chatops breaker trip " + quote(one.Name) + " --for 1h --reason 'cannot be reached'",
				}
				if chatops.ErrorCode(err) == chatops.CodeInvalid { // of a setting, which no breaker mends
					findings[i].Command = "chatops config check"
				}
			}
		})
	}
	wg.Wait()
	var list []Finding
	for _, f := range findings {
		if f != nil {
			list = append(list, *f)
		}
	}
	return found(list, strings.Join(names, ", ")+" can be reached"), nil
}

func checkConsent(ctx context.Context, p *Patient) (Result, error) {
	texts, err := p.Store.ConsentTexts(ctx)
	if err != nil {
		return Result{}, err
	}
	now := p.NowFunc()
	valid := map[chatops.ConsentKind]bool{}
	for i := range texts {
		if !texts[i].ValidFrom.After(now) {
			valid[texts[i].Kind] = true
		}
	}
	var list []Finding
	for _, kind := range chatops.ConsentKinds() {
		if !valid[kind] {
			list = append(list, Finding{
				Problem, fmt.Sprintf("there is no valid consent text of kind %s", kind), "chatops serve stores the built-in ones when it starts",
				"chatops serve",
			})
		}
	}
	if !p.Settings.Embedded && !p.Settings.ConsentKeys {
		list = append(list, Finding{
			Warning, "links in mails are signed with a key that the database keeps", "CONSENT_KEYS is not set; whoever reads a backup has the key",
			"chatops config view --show-origin",
		})
	}
	return found(list, chatops.Count(len(texts), "consent text")), nil
}

func checkChain(ctx context.Context, p *Patient) (Result, error) {
	rows, broken, err := p.ChainFunc(ctx)
	if err != nil {
		return Result{}, err
	}
	var list []Finding
	if broken > 0 {
		list = append(list, Finding{
			Problem, fmt.Sprintf("the record of consent is not as it was written: %s", chatops.Count(broken, "finding")),
			"rows were changed, removed or added behind the program's back", "chatops consent audit verify",
		})
	}
	return found(list, chatops.Count(rows, "row")+" verified"), nil
}
