package sender

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chatops/internal/chatops"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is the clock of the tests.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// only builds a single sender or ends the test.
func only(t *testing.T, o Options) chatops.AlertSender {
	t.Helper()
	if o.NowFunc == nil {
		o.NowFunc = atNoon
	}
	senders, err := New(o)
	if err != nil || len(senders) != 1 {
		t.Fatalf("New: %d senders, %v", len(senders), err)
	}
	return senders[0]
}

func payload(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// failed asserts that err is a SendError of a kind and returns it.
func failed(t *testing.T, err error, kind chatops.FailureKind) *chatops.SendError {
	t.Helper()
	var f *chatops.SendError
	if !errors.As(err, &f) {
		t.Fatalf("got %v (%T), want a SendError of kind %s", err, err, kind)
	}
	if f.Kind != kind {
		t.Fatalf("got kind %s (%v), want %s", f.Kind, f, kind)
	}
	if f.Code == "" {
		t.Errorf("%v: no code to group by", f)
	}
	return f
}

// shows reports whether any error of the chain shows one of the texts.
func shows(err error, texts []string) string {
	for ; err != nil; err = errors.Unwrap(err) {
		for _, text := range texts {
			if strings.Contains(err.Error(), text) {
				return text
			}
		}
	}
	return ""
}

// fails is failed for tests that need to know no more.
func fails(t *testing.T, err error, kind chatops.FailureKind) {
	t.Helper()
	_ = failed(t, err, kind)
}
