package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestExamine_KeepsTheOrderOfTheChecksWhoeverIsDoneFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var checks []Check
		for i := range 5 {
			takes := time.Duration(5-i) * time.Second
			checks = append(checks, Check{Name: fmt.Sprint(i), runFunc: func(ctx context.Context, _ *Patient) (Result, error) {
				chatops.Sleep(ctx, takes)
				return Result{Name: "a check does not name itself", State: OK, Text: takes.String()}, nil
			}})
		}
		start := time.Now()
		for i, r := range Examine(t.Context(), healthy().Patient, checks, time.Minute) {
			takes := time.Duration(5-i) * time.Second
			if r.Name != fmt.Sprint(i) || r.Text != takes.String() || r.Took != takes || r.State != OK {
				t.Errorf("result %d is %+v", i, r)
			}
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("it took %s, want as long as the slowest", took)
		}
	})
}

func TestExamine_SaysHowLongItWaited(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[time.Duration]string{
		time.Second: "no answer within 1s", 5 * time.Second: "no answer within 5s", 90 * time.Second: "no answer within 1m 30s",
	} {
		synctest.Test(t, func(t *testing.T) {
			b := healthy()
			b.store.hang = true
			hangs := func(ctx context.Context) error { return b.store.answer(ctx) }
			b.RedisFunc, b.Integrations[0].ProbeFunc = hangs, hangs
			for _, r := range Examine(t.Context(), b.Patient, Checks(), timeout) {
				switch {
				case r.Name == NameDatabase || r.Name == "integrations":
					if r.Findings[0].Cause != want || r.Took != timeout {
						t.Errorf("%s finds %+v after %s, want %q", r.Name, r.Findings, r.Took, want)
					}
				case r.State == Unknown:
					if r.Text != "could not be found out: "+want {
						t.Errorf("%s says %q, want %q", r.Name, r.Text, want)
					}
				}
			}
			b.Store = nil
			chosen, _ := Choose([]string{"redis"})
			if r := Examine(t.Context(), b.Patient, chosen, timeout)[0]; r.Findings[0].Cause != want {
				t.Errorf("Redis finds %+v, want %q", r.Findings, want)
			}
		})
	}
}

func TestExamine_EndsWithItsCaller(t *testing.T) {
	t.Parallel()
	b := healthy()
	b.store.hang = true
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	chosen, _ := Choose([]string{"jobs", "consent"})
	for _, r := range Examine(ctx, b.Patient, chosen, time.Hour) {
		if r.State != Unknown || r.Text != "could not be found out: internal error" {
			t.Errorf("%s is %s: %s", r.Name, r.State, r.Text)
		}
	}
}

func TestExamine_DoesNotChangeThePatient(t *testing.T) {
	t.Parallel()
	b := healthy()
	before := b.NowFunc()
	Examine(t.Context(), b.Patient, Checks(), time.Second)
	if b.timeout != 0 || !b.NowFunc().Equal(before) || len(b.Integrations) != 2 {
		t.Errorf("the patient is %+v afterwards", b.Patient)
	}
}

func TestExamine_OfNoChecksIsNothing(t *testing.T) {
	t.Parallel()
	if list := Examine(t.Context(), healthy().Patient, nil, time.Second); len(list) != 0 || Worst(list) != OK {
		t.Errorf("it finds %+v", list)
	}
}

func TestWordError_ShowsWhatIsMeantForPeople(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	for _, tt := range []struct {
		name  string
		ended bool
		err   error
		want  string
	}{
		{"ours", false, chatops.Errorf(chatops.CodeNotFound, "no such\ntable"), `no such\ntable`},
		{"a stranger's", false, errors.New("password=hunter2"), "internal error"},
		{"wrapped", false, fmt.Errorf("x: %w", chatops.Errorf(chatops.CodeUnavailable, "down")), "down"},
		{"its time is over", false, fmt.Errorf("x: %w", context.DeadlineExceeded), "no answer within 7s"},
		{"the time of all is over", true, chatops.Errorf(chatops.CodeUnavailable, "down"), "no answer within 7s"},
	} {
		ctx := t.Context()
		if tt.ended {
			ctx = ended
		}
		if got := wordError(ctx, tt.err, 7*time.Second); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestDatabase_SaysWhatItIsAndWhatRepairsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		if r := one(t, healthy(), NameDatabase); r.State != OK || r.Text != "PostgreSQL 15.4, 5 MiB, answers in 0.0 ms" {
			t.Errorf("it is %s: %s", r.State, r.Text)
		}
	})
	for command, want := range map[string]string{"": "chatops config view --show-origin", "chatops migrate up": "chatops migrate up"} {
		b := healthy()
		b.Store, b.StoreErr, b.StoreCommand = nil, chatops.Errorf(chatops.CodeNotFound, "no such file"), command
		f := Finding{Problem, "the database does not answer", "no such file", want}
		if r := one(t, b, NameDatabase); len(r.Findings) != 1 || r.Findings[0] != f {
			t.Errorf("it finds %+v, want %+v", r.Findings, f)
		}
	}
	for d, want := range map[time.Duration]string{0: "0.0 ms", 49 * time.Microsecond: "0.0 ms", 1250 * time.Microsecond: "1.2 ms", 2 * time.Second: "2000.0 ms"} {
		if got := milliseconds(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}

func TestChoose_OfAnyNamesIsInTheOrderOfChecks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom(Names()), 1, 9).Draw(t, "names")
		chosen, unknown := Choose(names)
		wanted := map[string]bool{}
		for _, name := range names {
			wanted[name] = true
		}
		if len(unknown) > 0 || len(chosen) != len(wanted) {
			t.Fatalf("of %q %d are chosen, %q is unknown", names, len(chosen), unknown)
		}
		at := 0
		for _, name := range Names() {
			if wanted[name] {
				if chosen[at].Name != name {
					t.Fatalf("of %q number %d is %s, want %s", names, at, chosen[at].Name, name)
				}
				at++
			}
		}
	})
}

func TestFound_ForgetsNothingAndSortsStably(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var list []Finding
		for i := range rapid.IntRange(1, 8).Draw(t, "findings") {
			state := rapid.SampledFrom([]State{Warning, Problem}).Draw(t, "state")
			list = append(list, Finding{State: state, Text: fmt.Sprint(i)})
		}
		r := found(append([]Finding(nil), list...), "fine")
		if len(r.Findings) != len(list) || r.State != r.Findings[0].State {
			t.Fatalf("of %+v it makes %+v", list, r)
		}
		for i := 1; i < len(r.Findings); i++ {
			a, b := r.Findings[i-1], r.Findings[i]
			if a.State.badness() < b.State.badness() || a.State == b.State && a.Text > b.Text {
				t.Fatalf("%+v stands before %+v", a, b)
			}
		}
	})
}

func TestState_OnlyWhatNeedsNobodyIsSound(t *testing.T) {
	t.Parallel()
	for _, s := range States() {
		if want := s == OK || s == Skipped; s.Sound() != want {
			t.Errorf("%s is sound: %t", s, s.Sound())
		}
	}
	if Unknown.badness() <= Warning.badness() || Unknown.badness() >= Problem.badness() {
		t.Error("what is not known is worse than a warning and better than a problem")
	}
}

func TestWords_OfTimes(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "0m", time.Second: "1s", time.Minute: "1m", 61 * time.Second: "61s", 25 * time.Hour: "1500m"} {
		if got := minutes(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{1024: "1 KiB", 1<<30 - 1: "1024 MiB", 1 << 30: "1 GiB", 5 << 50: "5120 TiB", 1234567: "1.177 MiB"} {
		if got := Size(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
	for word, want := range map[string]string{
		"": "''", "slack": "slack", "webhook:crm": "webhook:crm", "a b": "'a b'", "it's": `'it'\''s'`, "$(rm)": "'$(rm)'", "x\n": `'x\n'`, "~": "'~'",
	} {
		if got := quote(word); got != want {
			t.Errorf("%q is quoted as %s, want %s", word, got, want)
		}
	}
}

func TestExamine_RunsNoMoreChecksAtOnceThanItMay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		slow := Check{Name: "slow", runFunc: func(context.Context, *Patient) (Result, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			<-time.After(time.Second)
			return found(nil, "seen"), nil
		}}
		for _, tt := range []struct {
			atOnce int
			most   int64
			took   time.Duration
		}{{0, 5, time.Second}, {2, 2, 3 * time.Second}, {1, 1, 5 * time.Second}, {9, 5, time.Second}} {
			most.Store(0)
			p, start := healthy(), time.Now()
			p.AtOnce = tt.atOnce
			results := Examine(t.Context(), p.Patient, []Check{slow, slow, slow, slow, slow}, time.Minute)
			if took := time.Since(start); most.Load() != tt.most || took != tt.took || Worst(results) != OK {
				t.Errorf("%d at once: %d ran side by side, in %s, %s", tt.atOnce, most.Load(), took, Worst(results))
			}
		}
		if got := Examine(t.Context(), healthy().Patient, nil, time.Minute); len(got) != 0 {
			t.Errorf("no check finds %v", got)
		}
	})
}

func TestExamine_ACheckThatPanicsIsUnknownAndRepeatsNoData(t *testing.T) {
	t.Parallel()
	const canary = "jan@x.pl"
	panics := func(with func()) Check {
		return Check{Name: "broken", runFunc: func(context.Context, *Patient) (Result, error) {
			with()
			return found(nil, "seen"), nil
		}}
	}
	var none []int
	checks := []Check{panics(func() { panic(canary) }), panics(func() { _ = none[len(canary)] }), panics(func() {})}
	results := Examine(t.Context(), healthy().Patient, checks, time.Minute)
	if results[0].State != Unknown || results[1].State != Unknown || results[2].State != OK {
		t.Errorf("the states are %s, %s and %s", results[0].State, results[1].State, results[2].State)
	}
	if text := results[0].Text; text != "could not be found out: the check is broken: string" {
		t.Errorf("a text: %s", text)
	}
	if text := results[1].Text; !strings.Contains(text, "index out of range [8]") {
		t.Errorf("the runtime's own: %s", text)
	}
}
