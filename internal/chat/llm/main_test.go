package llm

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// key is the secret of the tests.
const key = "sk-test-canary-0123456789"

var prompt = []Message{{System, "rules"}, {User, "ile <kosztuje> & \u2028?"}}

// client makes a client whose deadlines no test reaches by accident.
func client(tb testing.TB, o Options) *Client {
	tb.Helper()
	setDefault(&o.APIKey, key)
	setDefault(&o.TotalTimeout, time.Minute)
	setDefault(&o.IdleTimeout, time.Minute)
	c, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

// fails asserts that err is an *Error of a kind.
func fails(tb testing.TB, err error, kind Kind) *Error {
	tb.Helper()
	var e *Error
	if !errors.As(err, &e) {
		tb.Fatalf("got %v (%T), want an *Error of kind %s", err, err, kind)
	}
	if e.Kind != kind {
		tb.Fatalf("got kind %s (%v), want %s", e.Kind, e, kind)
	}
	return e
}
