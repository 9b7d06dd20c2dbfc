package drill

import (
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clocked is a slow CRM with a clock of its own.
func clocked(now *time.Time) *crm {
	return &crm{isSlow: true, nowFunc: func() time.Time { return *now }}
}

func TestCRM_FallsOverAndComesBack(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	c := clocked(&now)
	ask := func() int {
		status, _, _ := c.answer([]byte(leadOf("contact", 1)), false)
		return status
	}
	for n := range crmStands {
		if status := ask(); status != http.StatusOK {
			t.Fatalf("request %d of a second is answered %d", n+1, status)
		}
	}
	if status := ask(); status != http.StatusServiceUnavailable || c.falls() != 1 {
		t.Errorf("one too many is answered %d, it fell %d times", status, c.falls())
	}
	now = now.Add(crmAwayFor - time.Millisecond)
	if status := ask(); status != http.StatusServiceUnavailable || c.falls() != 1 {
		t.Errorf("while it is away it answers %d, it fell %d times", status, c.falls())
	}
	now = now.Add(time.Millisecond)
	if status := ask(); status != http.StatusOK {
		t.Errorf("when it is back it answers %d", status)
	}
}

func TestCRM_StandsWhoeverAsksNoFasterThanItSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(0, 0)
		c := clocked(&now)
		for _, pause := range rapid.SliceOfN(rapid.IntRange(100, 300), 1, 60).Draw(t, "pauses in milliseconds") {
			now = now.Add(time.Duration(pause) * time.Millisecond)
			if status, text, _ := c.answer([]byte(leadOf("contact", 1)), false); status != http.StatusOK {
				t.Fatalf("it answers %d %s", status, text)
			}
		}
	})
}

func TestCRM_TakesLeadsOfFormsThatAreOpen(t *testing.T) {
	t.Parallel()
	r := open(t, "many-causes")
	r.crm.closeForm(fairForm)
	for body, want := range map[string]int{
		leadOf("contact", 1): http.StatusOK, leadOf("", 1): http.StatusOK,
		leadOf(fairForm, 1): http.StatusUnprocessableEntity, "{": http.StatusBadRequest,
	} {
		if status, text := post(t, crmURL(r), body); status != want {
			t.Errorf("%s is answered %d %s, want %d", body, status, text, want)
		}
	}
	if once, twice := r.crm.got(); once != 2 || twice != 0 {
		t.Errorf("it took %d, and %d twice", once, twice)
	}
}
