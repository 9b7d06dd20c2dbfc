package chatops

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestQueueLimits_AreReachedAtTheirEdge(t *testing.T) {
	t.Parallel()
	q := QueueLimits{Waiting: 100, Age: 15 * time.Minute, Growth: 20}
	for _, tt := range []struct {
		load QueueLoad
		want bool
	}{
		{QueueLoad{}, false},
		{QueueLoad{Waiting: 100, Fresh: 99, Oldest: 15*time.Minute - 1}, false},
		{QueueLoad{Waiting: 101}, true},
		{QueueLoad{Waiting: 100, Fresh: 100}, true},
		{QueueLoad{Waiting: 1, Oldest: 15 * time.Minute}, true},
	} {
		if got := q.Exceeded(&tt.load); got != tt.want {
			t.Errorf("%+v exceeds the limits: %t", tt.load, got)
		}
	}
}

func TestQueueLimits_OfZeroAreNone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		load := QueueLoad{
			Waiting: rapid.Int64Range(0, 1e9).Draw(t, "waiting"), Fresh: rapid.Int64Range(0, 1e9).Draw(t, "fresh"),
			Oldest: time.Duration(rapid.Int64Range(0, 1e18).Draw(t, "oldest")),
		}
		if (&QueueLimits{}).Exceeded(&load) {
			t.Fatalf("%+v exceeds no limits", load)
		}
	})
}
