package dashboard

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// mixed are alerts of which no order is that of another.
func mixed() []chatops.Alert {
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	return []chatops.Alert{
		{ID: 5, Status: chatops.AlertQueued, RetryCount: 0, Target: "slack:alerts", CreatedAt: at(-1)},
		{ID: 4, Status: chatops.AlertDelivered, RetryCount: 3, Target: "monday:leads", CreatedAt: at(-9)},
		{ID: 3, Status: chatops.AlertFailed, RetryCount: 5, Target: "webhook:crm", CreatedAt: at(-2)},
		{ID: 2, Status: chatops.AlertPending, RetryCount: 5, Target: "email:ola", CreatedAt: at(-9)},
		{ID: 1, Status: chatops.AlertFailed, RetryCount: 1, Target: "slack:alerts", CreatedAt: at(-30)},
	}
}

// listed are the numbers of the rows that the list shows.
func (d *desk) listed() []string {
	var ids []string
	for _, r := range d.alertRows(100) {
		if r.item.kind == itemAlert {
			ids = append(ids, r.item.id)
		}
	}
	return ids
}

// listOf is a dashboard that shows a list of these alerts.
func listOf(tb interface {
	Helper()
}, d *desk, alerts []chatops.Alert) *desk {
	tb.Helper()
	d.screens = append(d.screens, screen{kind: screenAlerts, title: "all types"})
	d.picture.alerts = &alertPage{alerts: alerts}
	d.settle()
	return d
}

func TestOrder_SortsThePage(t *testing.T) {
	t.Parallel()
	for order, tt := range []struct {
		name string
		want []string
	}{
		{"newest first", []string{"5", "4", "3", "2", "1"}},
		{"oldest first", []string{"1", "2", "4", "3", "5"}},
		{"most retries first", []string{"3", "2", "4", "1", "5"}},
		{"by status", []string{"4", "3", "1", "2", "5"}},
		{"by target", []string{"2", "4", "5", "1", "3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := listOf(t, newDesk(t, healthy(), 100, 30), mixed())
			d.top().order = order
			if got := d.listed(); !slices.Equal(got, tt.want) {
				t.Errorf("the list is %v, want %v", got, tt.want)
			}
			if got := d.alertsSummary().plain(); got != "alerts: all types: 5, "+tt.name {
				t.Errorf("it is called %q", got)
			}
		})
	}
}

// Sorting loses no alert, keeps what is equal as the store gave it, and leaves the
// page of the store as it is.
func TestOrder_OfAnyPage_IsStableAndLosesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, healthy(), 100, 30)
	rapid.Check(t, func(rt *rapid.T) {
		var page []chatops.Alert
		for i := range rapid.IntRange(0, 30).Draw(rt, "alerts") {
			page = append(page, chatops.Alert{
				ID: int64(100 - i), RetryCount: rapid.IntRange(0, 3).Draw(rt, "tries"),
				Status: rapid.SampledFrom(chatops.AlertStatuses()).Draw(rt, "status"), Target: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "target"),
				CreatedAt: noon.Add(-time.Duration(rapid.IntRange(0, 3).Draw(rt, "age")) * time.Hour),
			})
		}
		given := slices.Clone(page)
		d.screens = d.screens[:1]
		listOf(rt, d, page)
		order := rapid.IntRange(0, len(alertOrders())-1).Draw(rt, "order")
		d.top().order = order
		ids := d.listed()
		byID := map[string]*chatops.Alert{}
		place := map[string]int{}
		for i := range page {
			id := strconv.FormatInt(page[i].ID, 10)
			byID[id], place[id] = &page[i], i
			if page[i].ID != given[i].ID {
				rt.Fatalf("the page of the store was sorted: %d is now at %d", page[i].ID, i)
			}
		}
		if len(ids) != len(page) || len(byID) != len(page) {
			rt.Fatalf("%d of %d alerts are listed", len(ids), len(page))
		}
		compareFunc := alertOrders()[order].compareFunc
		for i := 1; i < len(ids); i++ {
			a, b := byID[ids[i-1]], byID[ids[i]]
			if c := compareFunc(a, b); c > 0 || c == 0 && place[ids[i-1]] > place[ids[i]] {
				rt.Fatalf("%s stands before %s in %v", ids[i-1], ids[i], ids)
			}
		}
	})
}

func TestOrder_FollowsTheAlertUnderTheCursor(t *testing.T) {
	t.Parallel()
	d := listOf(t, newDesk(t, healthy(), 100, 30), mixed())
	d.move(1)
	d.move(1)
	if got := d.chosen().id; got != "3" {
		t.Fatalf("the cursor is on %s, want 3", got)
	}
	for range alertOrders() {
		d.press("o")
		if got := d.chosen().id; got != "3" {
			t.Errorf("ordered %s the cursor is on %s, want 3", alertOrders()[d.top().order].name, got)
		}
	}
	if d.top().order != 0 {
		t.Errorf("after all orders it is in order %d, want the first", d.top().order)
	}
}

// The marks are those of the alerts, whatever is sorted, scrolled or marked twice.
func TestMarks_AreThoseOfTheAlertsThatWereMarked(t *testing.T) {
	t.Parallel()
	d := newDesk(t, healthy(), 100, 30)
	rapid.Check(t, func(rt *rapid.T) {
		d.screens = d.screens[:1]
		listOf(rt, d, mixed())
		want := map[string]bool{}
		for range rapid.IntRange(0, 25).Draw(rt, "keys") {
			key := rapid.SampledFrom([]string{"space", "space", "up", "down", "home", "end", "o"}).Draw(rt, "key")
			if id := d.chosen().id; key == "space" {
				want[id] = !want[id]
			}
			d.press(key)
		}
		n := 0
		for _, r := range d.alertRows(100) {
			if r.item.kind != itemAlert {
				continue
			}
			marked := strings.HasPrefix(r.line.plain(), "*")
			if marked != want[r.item.id] || marked != d.top().marked[alertID(r.item)] {
				rt.Fatalf("alert %s is marked: %t, want %t", r.item.id, marked, want[r.item.id])
			}
			if marked {
				n++
			}
		}
		if said := fmt.Sprintf(", %d marked, ", n); n > 0 != strings.Contains(d.alertsSummary().plain(), said) {
			rt.Fatalf("%d are marked, and the list says %q", n, d.alertsSummary().plain())
		}
	})
}

// The cursor stands on a row that can be chosen, however it is moved.
func TestCursor_IsAlwaysOnSomethingThatCanBeChosen(t *testing.T) {
	t.Parallel()
	d := newDesk(t, incident(), 100, 30)
	d.poll()
	rapid.Check(t, func(rt *rapid.T) {
		d.press("esc", "esc", rapid.SampledFrom([]string{"1", "2", "3", "4", "5"}).Draw(rt, "panel"))
		for range rapid.IntRange(1, 20).Draw(rt, "moves") {
			d.move(rapid.IntRange(-40, 40).Draw(rt, "by"))
			it := d.chosen()
			if it.kind == itemNone {
				rt.Fatalf("the cursor is on row %d, which is nothing", d.top().cursor)
			}
			if it != d.top().chosen {
				rt.Fatalf("the cursor is on %v and remembers %v", it, d.top().chosen)
			}
		}
		d.move(-1 << 20)
		first := d.top().cursor
		d.move(1 << 20)
		last := d.top().cursor
		d.move(-1)
		d.move(1)
		if d.top().cursor != last || first > last {
			rt.Fatalf("up and down from row %d is row %d; the first is %d", last, d.top().cursor, first)
		}
	})
}
