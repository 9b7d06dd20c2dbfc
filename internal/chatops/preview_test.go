package chatops_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func drawPreview(t *rapid.T) *chatops.Preview {
	p := &chatops.Preview{}
	for range rapid.IntRange(0, 30).Draw(t, "rows") {
		p.Rows = append(p.Rows, chatops.PreviewRow{
			Fingerprint: rapid.SampledFrom([]string{"", "slack:503", "crm:422", "mail:timeout"}).Draw(t, "cause"),
			EventType:   rapid.SampledFrom([]string{chatops.EventSlackAlert, chatops.EventWebhook}).Draw(t, "type"),
			Age:         chatops.PreviewAge(rapid.IntRange(0, 4).Draw(t, "age")),
			Permanent:   rapid.Bool().Draw(t, "permanent"), Withdrawn: rapid.Bool().Draw(t, "withdrawn"), Elsewhere: rapid.Bool().Draw(t, "elsewhere"),
			Count: rapid.Int64Range(1, 1000).Draw(t, "count"), Newest: rapid.Int64Range(1, 1_000_000).Draw(t, "newest"),
		})
	}
	return p
}

// TestPreview_Rule: whatever was read, no alert is counted twice or left out.
func TestPreview_Rule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPreview(t)
		countTo := rapid.IntRange(1, 5000).Draw(t, "bound")
		p.Delivered = rapid.Int64Range(0, 10_000).Draw(t, "delivered")
		delivered := p.Delivered
		p.Bound(countTo)
		all := p.Sum(func(*chatops.PreviewRow) bool { return true })
		if p.Counted != all || p.More != (all > int64(countTo)) {
			t.Fatalf("counted %d of %d, more: %t", p.Counted, all, p.More)
		}
		if p.DeliveredMore != (delivered > int64(countTo)) || p.Delivered > int64(countTo) || !p.DeliveredMore && p.Delivered != delivered {
			t.Fatalf("%d delivered are shown as %d, more: %t", delivered, p.Delivered, p.DeliveredMore)
		}
		out := p.Sum(func(r *chatops.PreviewRow) bool { return r.Elsewhere || r.Withdrawn })
		if p.Eligible()+out != all {
			t.Fatalf("%d eligible and %d not, of %d", p.Eligible(), out, all)
		}
		limit := rapid.IntRange(0, 6).Draw(t, "groups")
		groups, others := p.Group(func(r *chatops.PreviewRow) string { return r.Fingerprint }, limit)
		if len(groups) > limit {
			t.Fatalf("%d groups, want %d at most", len(groups), limit)
		}
		sum := others
		for i, g := range groups {
			sum += g.Count
			if i > 0 && g.Count > groups[i-1].Count {
				t.Fatalf("groups %+v are not in order", groups)
			}
			newest := int64(0)
			for j := range p.Rows {
				if p.Rows[j].Fingerprint == g.Name {
					newest = max(newest, p.Rows[j].Newest)
				}
			}
			if newest != g.Newest {
				t.Fatalf("the newest of %q is %d, want %d", g.Name, g.Newest, newest)
			}
		}
		if sum != all {
			t.Fatalf("groups have %d of %d", sum, all)
		}
	})
}

func TestPreviewAge_IsWorded(t *testing.T) {
	t.Parallel()
	var words []string
	for age := range len(chatops.PreviewAges()) + 1 {
		words = append(words, chatops.PreviewAge(age).String())
	}
	want := []string{"up to 1h", "1h to 6h", "6h to 1d", "1d to 7d", "older than 7d"}
	if !slices.Equal(words, want) {
		t.Errorf("ages are %q, want %q", words, want)
	}
	if got := chatops.PreviewAge(-1).String(); got != want[4] {
		t.Errorf("an age that does not exist is %q", got)
	}
}
