package runbook

import (
	"context"
	"errors"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// recorded runs a change under a record and returns the action that is left.
func recorded(ctx context.Context, t *testing.T, change func() (string, error)) (*console, chatops.OperatorAction, error) {
	t.Helper()
	c := newConsole(t, newFakeStore())
	if _, err := c.settings(); err != nil {
		t.Fatal(err)
	}
	c.args = []string{"dlq", "retry", "--all"}
	err := c.record(ctx, c.store, chatops.AlertFilter{Types: []string{"slack_alert"}}, change)
	if len(c.store.actions) != 1 {
		t.Fatalf("%d actions, want 1", len(c.store.actions))
	}
	return c, c.store.actions[0], err
}

func TestRecord_BeginsBeforeTheChangeAndEndsAfterIt(t *testing.T) {
	t.Parallel()
	began := ""
	c := newConsole(t, newFakeStore())
	err := c.record(t.Context(), c.store, struct{}{}, func() (string, error) {
		began = c.store.actions[0].Result
		return "did it", nil
	})
	if err != nil || began != "started" || c.store.actions[0].Result != "ok: did it" {
		t.Errorf("began as %q, ended as %q, %v", began, c.store.actions[0].Result, err)
	}
}

func TestRecord_KeepsWhoWhatAndWhy(t *testing.T) {
	t.Parallel()
	_, a, err := recorded(t.Context(), t, func() (string, error) { return "x", nil })
	if err != nil || a.Actor != "ewa" || a.Host != "ops-1" || a.Command != "chatops dlq retry --all" || a.Filter != `{"types":["slack_alert"]}` {
		t.Errorf("the action is %+v, %v", a, err)
	}
}

func TestRecord_ErrorsEndItWithoutSecretsOrCauses(t *testing.T) {
	t.Parallel()
	for want, cause := range map[string]error{
		"error: connection [redacted] refused": chatops.Errorf(chatops.CodeUnavailable, "connection %s refused", dbPassword),
		"error: changed meanwhile":             chatops.WrapError(chatops.CodeConflict, errors.New("detail"), "changed meanwhile"),
		"error: internal error":                errors.New("pq: relation of " + dbPassword),
	} {
		_, a, err := recorded(t.Context(), t, func() (string, error) { return "never told", cause })
		if !errors.Is(err, cause) || a.Result != want {
			t.Errorf("%v ends as %q, %v; want %q", cause, a.Result, err, want)
		}
	}
}

func TestRecord_AnInterruptIsStillWrittenDown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	_, a, err := recorded(ctx, t, func() (string, error) {
		cancel()
		return "", chatops.Errorf(chatops.CodeInterrupted, "interrupted: half")
	})
	if chatops.ErrorCode(err) != chatops.CodeInterrupted || a.Result != "error: interrupted: half" {
		t.Errorf("ended as %q, %v", a.Result, err)
	}
}

// forgetful begins actions and cannot end them.
type forgetful struct{ *fakeStore }

// FinishAction fails.
func (forgetful) FinishAction(context.Context, int64, string) error {
	return chatops.Errorf(chatops.CodeUnavailable, "connection lost")
}

func TestRecord_AnEndThatIsLostIsTold(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	if err := c.record(t.Context(), forgetful{c.store}, nil, func() (string, error) { return "x", nil }); err != nil {
		t.Fatalf("the change was made and is reported as %v", err)
	}
	if !strings.Contains(c.err.String(), "warning: the end of operator action 1 was not written down: connection lost") {
		t.Errorf("standard error is %q", &c.err)
	}
}
