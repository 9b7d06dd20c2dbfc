package drill

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// installation plays one that a drill breaks: it says what a test lets it say,
// and remembers what it is told.
type installation struct {
	chatops.Store // what no drill calls

	stats      chatops.QueueStats
	controls   chatops.Controls
	instances  []chatops.Instance
	jobs       []chatops.JobState
	followups  []chatops.Followup
	duplicates int
	unguarded  bool // uq_conversation_followup is missing
	suppressed int
	looks      []chatops.AccessEntry
	known      *chatops.Person // nil: nobody
	err        error           // of every call when set

	queued    []chatops.NewAlert
	announced int
	orders    []chatops.BreakerOrder
	paused    []string // "job by actor: reason"
	requested []string
	asked     []string // addresses whose suppression was asked for
	statsFunc func()   // called whenever the queue is looked at
}

func (i *installation) Enqueue(_ context.Context, alerts []chatops.NewAlert) (int, error) {
	i.queued = append(i.queued, alerts...)
	return len(alerts), i.err
}

func (i *installation) Announce(context.Context) error { i.announced++; return i.err }

func (i *installation) QueueStats(context.Context) (*chatops.QueueStats, error) {
	if i.statsFunc != nil {
		i.statsFunc()
	}
	return &i.stats, i.err
}

func (i *installation) OrderBreaker(_ context.Context, o *chatops.BreakerOrder) error {
	o.Revision = 8
	i.orders = append(i.orders, *o)
	return i.err
}

func (i *installation) Controls(context.Context) (*chatops.Controls, error) {
	return &i.controls, i.err
}

func (i *installation) Instances(context.Context) ([]chatops.Instance, error) {
	return i.instances, i.err
}

func (i *installation) Jobs(context.Context) (*chatops.JobList, error) {
	return &chatops.JobList{Jobs: i.jobs}, i.err
}

func (i *installation) PauseJob(_ context.Context, name string, paused bool, actor, reason string) error {
	if paused {
		i.paused = append(i.paused, name+" by "+actor+": "+reason)
	}
	return i.err
}

func (i *installation) RequestJob(_ context.Context, name string) error {
	i.requested = append(i.requested, name)
	return i.err
}

func (i *installation) CountSuppressed(_ context.Context, keys []string) (int, error) {
	i.asked = append(i.asked, keys...)
	return i.suppressed, i.err
}

func (i *installation) AccessLog(context.Context, string, int) ([]chatops.AccessEntry, error) {
	return i.looks, i.err
}

func (i *installation) Person(context.Context, string) (*chatops.Person, error) {
	if i.known == nil && i.err == nil {
		return nil, chatops.Errorf(chatops.CodeNotFound, "nothing is known")
	}
	return i.known, i.err
}

func (i *installation) Followups(context.Context, int64, chatops.FollowupStatus, int) ([]chatops.Followup, error) {
	return i.followups, i.err
}

func (i *installation) FollowupDuplicates(_ context.Context, fn func(chatops.FollowupDuplicate) error) (bool, error) {
	for range i.duplicates {
		if err := fn(chatops.FollowupDuplicate{Count: 2}); err != nil {
			return false, err
		}
	}
	return !i.unguarded, i.err
}

// running is the range of a drill whose installation is played.
func running(t *testing.T, name string) (*Range, *installation) {
	t.Helper()
	r, i := open(t, name), &installation{instances: []chatops.Instance{{Name: "drill:1"}}}
	r.Store = i
	r.SQLFunc = func(context.Context, ...string) error { t.Error("the database is changed by hand"); return nil }
	return r, i
}

// statements makes the range remember what is done to its database by hand.
func statements(r *Range) *[]string {
	all := &[]string{}
	r.SQLFunc = func(_ context.Context, list ...string) error {
		*all = append(*all, list...)
		return nil
	}
	return all
}

// count sets how many alerts have a status.
func (i *installation) count(status chatops.AlertStatus, n int64) {
	i.stats.Counts = append(i.stats.Counts, chatops.AlertCount{Status: status, Count: n})
}

// wantLeft compares what a drill says is still to be done.
func wantLeft(t *testing.T, r *Range, want string) {
	t.Helper()
	if left, err := r.drill.Left(t.Context(), r); err != nil || left != want {
		t.Errorf("what is left of %s is %q, %v; want %q", r.drill.Name, left, err, want)
	}
}

// mustBreak breaks the installation and returns the evidence.
func mustBreak(t *testing.T, r *Range) string {
	t.Helper()
	evidence, err := r.drill.Break(t.Context(), r)
	if err != nil {
		t.Fatalf("breaking %s: %v", r.drill.Name, err)
	}
	return evidence
}

// chat plays the HTTP server of an installation: each client may ask so often.
type chat struct {
	receiver

	mu     sync.Mutex
	limit  int
	counts map[string]int
	wrong  []string // what is wrong about requests
}

// visited gives a range a chat.
func visited(t *testing.T, r *Range, limit int) *chat {
	t.Helper()
	c := &chat{limit: limit, counts: map[string]int{}}
	ln, err := listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.ln, c.server = ln, &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(c.serve)}
	go func() { _ = c.server.Serve(c.ln) }()
	t.Cleanup(c.stop)
	r.Address = ln.Addr().String()
	return c
}

func (c *chat) serve(w http.ResponseWriter, q *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if q.Method != http.MethodPost || q.URL.Path != "/api/chatbot/chat" || !strings.HasPrefix(q.Header.Get("Content-Type"), "application/json") {
		c.wrong = append(c.wrong, q.Method+" "+q.URL.Path)
	}
	client := q.Header.Get("X-Forwarded-For")
	if c.counts[client]++; c.counts[client] > c.limit {
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// visits are how often each client asked.
func (c *chat) visits() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}

// complaints are what is wrong about the requests.
func (c *chat) complaints() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.wrong...)
}
