package deadletter

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// endlessQueue hands out a number of alerts in batches as fast as it can; its
// own work is a few copies, so what is measured is the engine.
type endlessQueue struct {
	*fakeQueue

	mu      sync.Mutex
	left    int
	lease   int64
	alerts  []chatops.Alert // handed out again and again
	settled int
	done    chan struct{}
}

func newEndlessQueue(n int) *endlessQueue {
	alerts := make([]chatops.Alert, 500)
	for i := range alerts {
		alerts[i] = chatops.Alert{
			ID: int64(i + 1), EventType: "test", Target: "slack:a", Status: chatops.AlertQueued,
			Payload: json.RawMessage(`{"text":"hello"}`),
		}
	}
	return &endlessQueue{fakeQueue: newFakeQueue(), left: n, alerts: alerts, done: make(chan struct{})}
}

func (q *endlessQueue) Lanes(context.Context) ([]chatops.LaneState, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.left == 0 {
		return nil, nil
	}
	return []chatops.LaneState{{Lane: "slack:a", Fresh: true}}, nil
}

func (q *endlessQueue) take(req chatops.ClaimRequest) *chatops.Batch {
	n := min(req.Limit, q.left)
	q.left -= n
	q.lease++
	return &chatops.Batch{LeaseID: q.lease, Request: req, Alerts: q.alerts[:n]}
}

func (q *endlessQueue) Claim(_ context.Context, req chatops.ClaimRequest) (*chatops.Batch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.take(req), nil
}

func (q *endlessQueue) Record(_ context.Context, rec chatops.Record) (*chatops.Batch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.settled -= len(rec.Outcomes)
	if q.settled == 0 {
		close(q.done)
	}
	if rec.Next == nil {
		return nil, nil //nolint:nilnil // as the port has it
	}
	return q.take(*rec.Next), nil
}

func (q *endlessQueue) Sweep(context.Context) (int, error) { return 0, nil }

// benchmarkEngine reports the engine's own cost per alert.
func benchmarkEngine(b *testing.B, workers int, policy chatops.LanePolicy, send func(context.Context, *chatops.Alert) error) {
	b.Helper()
	b.ReportAllocs()
	q := newEndlessQueue(b.N)
	q.settled = b.N
	e, err := New(Options{Queue: q, Workers: workers, Senders: []chatops.AlertSender{instant{policy, send}}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	stopped := make(chan error, 1)
	b.ResetTimer()
	go func() { stopped <- e.Run(ctx) }()
	<-q.done
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
	cancel()
	if err := <-stopped; err != nil {
		b.Fatal(err)
	}
}

type instant struct {
	policy   chatops.LanePolicy
	sendFunc func(context.Context, *chatops.Alert) error
}

func (instant) Integration() string          { return "slack" }
func (i instant) Policy() chatops.LanePolicy { return i.policy }

func (i instant) Send(ctx context.Context, a *chatops.Alert) error { return i.sendFunc(ctx, a) }

func BenchmarkEngine_InstantSender(b *testing.B) {
	benchmarkEngine(b, 2, chatops.LanePolicy{}, func(context.Context, *chatops.Alert) error { return nil })
}

func BenchmarkEngine_OneWorker(b *testing.B) {
	benchmarkEngine(b, 1, chatops.LanePolicy{}, func(context.Context, *chatops.Alert) error { return nil })
}

func BenchmarkEngine_FailingSender(b *testing.B) {
	err := &chatops.SendError{Kind: chatops.FailPermanent, HTTPStatus: 400, Code: "invalid_payload", Err: context.DeadlineExceeded}
	benchmarkEngine(b, 2, chatops.LanePolicy{}, func(context.Context, *chatops.Alert) error { return err })
}

func BenchmarkEngine_SlowSender(b *testing.B) {
	benchmarkEngine(b, 2, chatops.LanePolicy{Parallel: 64}, func(ctx context.Context, _ *chatops.Alert) error {
		t := time.NewTimer(time.Millisecond)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		return nil
	})
}

func BenchmarkRedact(b *testing.B) {
	const text = `Post "https://hooks.slack.com/services/T000/B000/XXXX": dial tcp 10.0.0.1:443: connect: connection refused`
	b.ReportAllocs()
	for b.Loop() {
		Redact(text)
	}
}

func BenchmarkFingerprint(b *testing.B) {
	const text = `Post "https://hooks.slack.com/services/T000/B000/XXXX": dial tcp 10.0.0.1:443: connect: connection refused`
	b.ReportAllocs()
	for b.Loop() {
		Fingerprint("slack", "", text)
	}
}
