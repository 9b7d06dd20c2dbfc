package runbook

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/drill"
)

func TestService_ThatIsKeptBeginsAgainUntilItServes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int64
		s := &service{keep: true, changed: make(chan struct{}, 1)}
		s.serveFunc = func(ctx context.Context, log *slog.Logger) error {
			if begun.Add(1) < 3 {
				return chatops.Errorf(chatops.CodeFinding, "the database lacks a migration")
			}
			log.Info("serving", "address", "127.0.0.1:1")
			<-ctx.Done()
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { s.run(ctx, slog.NewTextHandler(t.Output(), nil)); close(ended) }()
		synctest.Wait()
		if address, err := s.state(); address != "" || chatops.ErrorCode(err) != chatops.CodeFinding || begun.Load() != 1 {
			t.Errorf("at first it listens at %q, %v, begun %d times", address, err, begun.Load())
		}
		chatops.Sleep(ctx, 2*beginAgain)
		synctest.Wait()
		if address, err := s.state(); address != "127.0.0.1:1" || err != nil || begun.Load() != 3 {
			t.Errorf("later it listens at %q, %v, begun %d times", address, err, begun.Load())
		}
		cancel()
		<-ended
		if address, err := s.state(); address != "" || err == nil {
			t.Errorf("in the end it listens at %q, %v", address, err)
		}
	})
}

func TestService_ThatIsNotKeptEndsOnce(t *testing.T) {
	t.Parallel()
	begun := 0
	s := &service{changed: make(chan struct{}, 1)}
	s.serveFunc = func(context.Context, *slog.Logger) error { begun++; return nil }
	s.run(t.Context(), slog.DiscardHandler)
	if _, err := s.state(); err == nil || begun != 1 {
		t.Errorf("it was begun %d times, and ended with %v", begun, err)
	}
}

func TestDrill_ItsPreparationIsNobodysRepair(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	folder := t.TempDir()
	x := &exercise{
		env: c.Env, rng: &drill.Range{Folder: folder}, vars: map[string]string{drillVariable: folder, "DATABASE_URL": "postgres://drill@127.0.0.1:1/postgres"},
		drill: &drill.Drill{Before: []string{"chatops dlq stats"}},
	}
	if err := x.prepare(t.Context()); err != nil || c.opened != 1 {
		t.Fatalf("%v, the store was opened %d times", err, c.opened)
	}
	if commands, detect := x.typed(); len(commands) != 0 || detect != nil {
		t.Errorf("noted are %q", commands)
	}
	if c.err.Len()+c.out.Len() != 0 || x.vars[drillVariable] != folder {
		t.Errorf("it says %s%s, and the drill is in %q", &c.out, &c.err, x.vars[drillVariable])
	}
	x.drill.Before = []string{"chatops dlq show 7"}
	if err := x.prepare(t.Context()); chatops.ErrorCode(err) != chatops.CodeInternal {
		t.Errorf("one that fails makes %v", err)
	}
}

func TestDrill_ThatBeginsAServiceAgainAndAgain(t *testing.T) {
	t.Parallel()
	c := idle(t)
	c.ServeFunc = func(context.Context, *config.Config, ReloadFunc, *slog.Logger) error {
		return chatops.Errorf(chatops.CodeFinding, "the database lacks a migration")
	}
	x := &exercise{env: c.Env, rng: &drill.Range{Folder: t.TempDir()}, drill: &drill.Drill{Postgres: true}}
	x.vars = map[string]string{"DATABASE_URL": "postgres://drill@127.0.0.1:1/postgres"}
	stop, err := x.serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if address, err := x.rng.ServingFunc(); address != "" || chatops.ErrorCode(err) != chatops.CodeFinding || x.rng.Store == nil {
		t.Errorf("it listens at %q, %v; its store is %v", address, err, x.rng.Store)
	}
}

func TestParagraph_BreaksBetweenWordsOfATerminal(t *testing.T) {
	t.Parallel()
	const text = "Zażółć gęślą jaźń, and nobody knows why"
	c := newConsole(t, newFakeStore())
	c.Width = 12
	if got := c.paragraph(text); got != text {
		t.Errorf("in a pipe it is %q", got)
	}
	c.ErrTTY = true
	if got := c.paragraph(text); got != "Zażółć gęślą\njaźń, and\nnobody knows\nwhy" {
		t.Errorf("on a terminal it is %q", got)
	}
	c.Width = 3
	if got := strings.ReplaceAll(c.paragraph(text), "\n", " "); got != text {
		t.Errorf("on a narrow one it is %q", got)
	}
}
