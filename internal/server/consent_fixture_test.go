package server

import (
	"bytes"
	"cmp"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/goldentest"
)

// pages is a server with the pages of consent and all that they need.
type pages struct {
	*full
	now    time.Time
	limits *fakeLimits
	grants *fakeGrants
	queue  *fakeQueue
}

func newPages(tb testing.TB, change func(*Options), texts ...string) *pages {
	tb.Helper()
	p := &pages{now: at, grants: &fakeGrants{}, queue: &fakeQueue{}}
	now := func() time.Time { return p.now }
	p.limits = newLimits(now, append([]string{"consent", "9000 per minute", "api", "9000 per minute"}, texts...)...)
	p.full = newFull(tb, func(o *Options) {
		o.Now, o.Limits, o.Tokens = now, p.limits, &fakeTokens{nowFunc: now}
		o.EnqueueFunc, o.GrantFunc, o.PublicURL = p.queue.enqueue, p.grants.grant, "https://czat.example/"
		if change != nil {
			change(o)
		}
	})
	p.grants.markFunc = p.consent.WithdrawalMark
	return p
}

// link is the address of a page with a token.
func link(path, token string) string { return path + "?token=" + url.QueryEscape(token) }

var janToken = tokenFor("jan@x.pl")

// submit posts a form as browsers do. Fields are names and values.
func (p *pages) submit(tb testing.TB, target string, fields ...string) *answer {
	tb.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return p.send(tb, "192.0.2.1:1", target, "application/x-www-form-urlencoded", form.Encode())
}

// send posts a body of a type from an address.
func (p *pages) send(tb testing.TB, remote, target, media, body string, header ...string) *answer {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), http.MethodPost, target, strings.NewReader(body))
	r.RemoteAddr = remote
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return p.serve(tb, r)
}

// multipartForm encodes fields as multipart/form-data.
func multipartForm(tb testing.TB, fields ...string) (media, body string) {
	tb.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return w.FormDataContentType(), b.String()
}

var (
	assetVersion = regexp.MustCompile(`\?v=[0-9a-f]+`)
	heading      = regexp.MustCompile(`<h1>([^<]+)</h1>`)
)

// golden compares a page with a file of testdata, but for the versions of what
// it loads.
func golden(t *testing.T, name, page string) {
	t.Helper()
	goldentest.Compare(t, filepath.Join("testdata", "consent", name), assetVersion.ReplaceAllString(page, "?v=0"))
}

// title is the heading of a page.
func (a *answer) title() string {
	m := heading.FindStringSubmatch(a.Body)
	if m == nil {
		return ""
	}
	return m[1]
}

// unchanged checks that nothing was stored, queued or given.
func (p *pages) unchanged(t *testing.T) {
	t.Helper()
	if n := len(p.consent.withdrawals) + len(p.queue.alerts) + len(p.grants.grants); n != 0 {
		t.Errorf("changed: %+v %+v %+v", p.consent.withdrawals, p.queue.alerts, p.grants.grants)
	}
}

// fakeGrants records consent that is given.
type fakeGrants struct {
	mu     sync.Mutex
	grants []chatops.ConsentGrant
	err    error
	// markFunc is the withdrawal mark of an address.
	markFunc func(ctx context.Context, key string) (string, error)
}

func (f *fakeGrants) grant(ctx context.Context, g chatops.ConsentGrant) (int, error) {
	if mark, err := f.markFunc(ctx, g.EmailKey); err != nil || g.AskedAt != mark {
		return 0, cmp.Or(err, error(chatops.Errorf(chatops.CodeConflict, "withdrawn since")))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.grants = append(f.grants, g)
	return 1, f.err
}

// fakeQueue keeps alerts by their keys, as the queue does.
type fakeQueue struct {
	mu     sync.Mutex
	alerts []chatops.NewAlert
	err    error
}

func (f *fakeQueue) enqueue(_ context.Context, alerts []chatops.NewAlert) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	added := 0
	for _, a := range alerts {
		if err := a.Validate(); err != nil {
			return 0, err
		}
		known := false
		for _, b := range f.alerts {
			known = known || b.IdempotencyKey == a.IdempotencyKey
		}
		if !known {
			f.alerts, added = append(f.alerts, a), added+1
		}
	}
	return added, nil
}
