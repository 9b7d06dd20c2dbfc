package fleet_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
	"chatops/internal/fleet"
)

// However often the database comes and goes: the revision is that of the newest
// orders that were read, each trouble is told once, and the replica goes on.
func TestReplica_UnderAnyTroubles_ObeysTheNewestOrdersItHasRead(t *testing.T) {
	t.Parallel()
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		var away []bool
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			away = append(away, rapid.Bool().Draw(t, "away"))
		}
		synctest.Test(outer, func(st *testing.T) {
			s := &store{}
			r := start(st, s)
			known, troubles, was := int64(0), 0, false
			for i, is := range away {
				s.set(func() {
					s.err = nil
					if is {
						s.err = errors.New("connection refused")
					}
				})
				if is && !was {
					troubles++
				}
				was = is
				s.order(int64(i + 1))
				wait(2 * chatops.HeartbeatEvery)
				if !is {
					known = int64(i + 1)
				}
				if r.Revision() != known {
					st.Errorf("step %d of %v: revision %d, want %d", i, away, r.Revision(), known)
				}
			}
			s.set(func() { s.err = nil })
			r.stop()
			if n := strings.Count(r.log.String(), "orders cannot be exchanged"); n != troubles {
				st.Errorf("%d troubles of %v are told %d times:\n%s", troubles, away, n, r.log)
			}
			for i := 1; i < len(r.applied); i++ {
				if r.applied[i] < r.applied[i-1] {
					st.Errorf("orders went back from %d to %d", r.applied[i-1], r.applied[i])
				}
			}
		})
		if outer.Failed() {
			t.FailNow()
		}
	})
}

func TestForget_SaysHowManyWentAndTellsOfSome(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stale int
		said  string
		told  bool
	}{
		{0, "0 replicas", false},
		{1, "1 replica", true},
		{12, "12 replicas", true},
	} {
		s, log := &store{stale: tt.stale}, &strings.Builder{}
		r, err := fleet.New(fleet.Options{Store: s, Name: "host:1", ForgetAfter: time.Hour, Log: slog.New(slog.NewTextHandler(log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		said, err := r.Forget(t.Context())
		if err != nil || said != tt.said {
			t.Errorf("of %d it says %q, %v; want %q", tt.stale, said, err, tt.said)
		}
		if told := log.Len() > 0; told != tt.told {
			t.Errorf("of %d it logs %q", tt.stale, log)
		}
		if len(s.forgot) != 1 || s.forgot[0] != time.Hour {
			t.Errorf("it forgets after %v", s.forgot)
		}
		s.err = errors.New("the database is away")
		if said, err := r.Forget(t.Context()); !errors.Is(err, s.err) || said != "" {
			t.Errorf("without a database it says %q, %v", said, err)
		}
	}
}
