package server

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestDoctor_IsClosedWithoutTheKeyAndWhereThereIsNone(t *testing.T) {
	t.Parallel()
	looks := 0
	count := func(o *Options) {
		o.Health.DoctorFunc = func(context.Context) *Examination {
			looks++
			return &Examination{State: "ok", Checks: []Examined{}}
		}
	}
	f := newFull(t, count)
	closed := newFull(t, func(o *Options) { count(o); o.AdminKeys = []string{""} })
	for name, r := range map[string]*answer{
		"no key": f.get(t, "/api/doctor"), "another key": f.get(t, "/api/doctor", "Authorization", "Bearer x"),
		"a server without keys": closed.admin(t, http.MethodGet, "/api/doctor", ""),
	} {
		if r.StatusCode != http.StatusUnauthorized || strings.Contains(r.Body, "checks") {
			t.Errorf("%s: status %d: %s", name, r.StatusCode, r.Body)
		}
	}
	if looks > 0 {
		t.Errorf("strangers made it look %d times", looks)
	}
	if r := f.admin(t, http.MethodGet, "/api/doctor", ""); r.StatusCode != http.StatusOK || looks != 1 {
		t.Errorf("with the key: status %d after %d looks", r.StatusCode, looks)
	}
	if r := newFull(t, func(o *Options) { o.Health.DoctorFunc = nil }).admin(t, http.MethodGet, "/api/doctor", ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("a server without a doctor answers %d", r.StatusCode)
	}
}

func TestDoctor_LooksOnceInTenSecondsHoweverManyAsk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		f := newFull(t, func(o *Options) {
			o.Now = time.Now
			o.Health.DoctorFunc = func(ctx context.Context) *Examination {
				if end, ok := ctx.Deadline(); !ok || time.Until(end) != doctorTimeout {
					t.Errorf("a look may take %s", time.Until(end))
				}
				looks.Add(1)
				<-time.After(5 * time.Second) // longer than the looks of deep health may take
				return &Examination{State: "ok", Unreachable: ctx.Err() != nil, Checks: []Examined{}}
			}
		})
		ask := func() {
			if r := f.admin(t, http.MethodGet, "/api/doctor", ""); r.StatusCode != http.StatusOK {
				t.Errorf("status %d: %s", r.StatusCode, r.Body)
			}
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(ask)
		}
		wg.Wait()
		<-time.After(doctorMaxAge - time.Second)
		ask()
		if n := looks.Load(); n != 1 {
			t.Errorf("21 requests cost %d looks", n)
		}
		<-time.After(time.Second)
		ask()
		if n := looks.Load(); n != 2 {
			t.Errorf("an answer of ten seconds ago is given again: %d looks", n)
		}
	})
}

func TestDoctor_SaysInItsStatusThatTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	f := newFull(t, func(o *Options) {
		o.Health.DoctorFunc = func(context.Context) *Examination {
			return &Examination{State: "problem", Checks: []Examined{}, Unreachable: true}
		}
	})
	r := f.admin(t, http.MethodGet, "/api/doctor", "")
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", r.StatusCode, r.Header.Get("Retry-After"))
	}
	if !strings.Contains(r.Body, `"state":"problem","checks":[]`) || strings.Contains(r.Body, "nreachable") {
		t.Errorf("body %s", r.Body)
	}
}
