package runbook

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

func TestTimeout_FlagBeatsTheCommandsOwn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		flag, own, want time.Duration // want 0: no deadline
	}{
		{0, 0, 0},
		{0, readTimeout, readTimeout},
		{time.Second, readTimeout, time.Second},
		{time.Hour, readTimeout, time.Hour},
		{time.Second, 0, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := &Env{opts: globals{timeout: tt.flag}}
			ctx, cancel := e.timeout(t.Context(), tt.own)
			defer cancel()
			at, bounded := ctx.Deadline()
			if bounded != (tt.want > 0) || bounded && time.Until(at) != tt.want {
				t.Errorf("--timeout %s over %s: deadline in %s, %t", tt.flag, tt.own, time.Until(at), bounded)
			}
		})
	}
}

func TestTimeout_ASlowDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, newFakeStore())
		slow := &slowStore{fakeStore: c.store}
		c.OpenStoreFunc = slow.open
		start := time.Now()
		c.must(exitUnavailable, "dlq stats --timeout 3s")
		c.says("no answer in time; a longer --timeout may help")
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it took %s, want 3s", took)
		}
	})
}

func TestTimestamp_IsUTCAndNullWhenNever(t *testing.T) {
	t.Parallel()
	warsaw := time.FixedZone("CET", 3600)
	for want, at := range map[string]time.Time{
		"null":                          {},
		`"2026-03-10T12:00:00Z"`:        noon,
		`"2026-03-10T11:00:00.000001Z"`: time.Date(2026, 3, 10, 12, 0, 0, 1000, warsaw),
	} {
		raw, err := json.Marshal(timestamp(at))
		if err != nil || string(raw) != want {
			t.Errorf("%v encodes as %s, %v; want %s", at, raw, err, want)
		}
	}
}

func TestTimestamp_ReadsBackExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), rapid.Int64Range(0, 999_999).Draw(t, "us")*1000)
		raw, err := json.Marshal(timestamp(want))
		if err != nil {
			t.Fatal(err)
		}
		var got time.Time
		if err := json.Unmarshal(raw, &got); err != nil || !got.Equal(want) || !strings.HasSuffix(string(raw), `Z"`) {
			t.Fatalf("%v encodes as %s, which is %v (%v)", want, raw, got, err)
		}
	})
}

func TestDocument_IsAlwaysValidJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		stored := rapid.OneOf(
			rapid.SliceOf(rapid.Byte()),
			rapid.SampledFrom([][]byte{nil, []byte("{}"), []byte(`{"a":1,"a":2}`), []byte("{"), []byte("null"), []byte("1e999"), []byte("\x1b")}),
		).Draw(t, "stored")
		raw, err := encodeJSON(struct {
			Payload document `json:"payload"`
		}{stored}, "  ")
		if err != nil || !json.Valid(raw) {
			t.Fatalf("%q encodes as %q, %v", stored, raw, err)
		}
		if text := document(stored).pretty(); json.Valid(stored) && !json.Valid([]byte(text)) {
			t.Fatalf("%q is pretty as %q", stored, text)
		}
	})
}

func TestViewAlert_NextAttemptOnlyWhileWaiting(t *testing.T) {
	t.Parallel()
	for _, status := range chatops.AlertStatuses() {
		v := viewAlert(&chatops.Alert{Status: status, NextAttemptAt: noon}, 5)
		waiting := status == chatops.AlertQueued || status == chatops.AlertPending
		if time.Time(v.NextAttemptAt).IsZero() == waiting {
			t.Errorf("%s shows the next attempt %q", status, v.NextAttemptAt)
		}
	}
}

// slowStore answers only when the context has ended.
type slowStore struct{ *fakeStore }

// QueueStats waits.
func (*slowStore) QueueStats(ctx context.Context) (*chatops.QueueStats, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *slowStore) open(context.Context, *config.Config, *slog.Logger) (chatops.Store, error) {
	return s, nil
}
