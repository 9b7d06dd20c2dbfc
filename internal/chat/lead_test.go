package chat

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestScore_IsTheSumOfItsTable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		facts chatops.Facts
		want  int
	}{
		"phone":           {chatops.Facts{Phone: "+48600700800"}, 20},
		"e-mail":          {chatops.Facts{Email: "a@b.pl"}, 15},
		"square metres":   {chatops.Facts{SquareMeters: 60}, 15},
		"package":         {chatops.Facts{Package: "Comfort"}, 12},
		"name":            {chatops.Facts{Name: "Jan"}, 10},
		"city":            {chatops.Facts{City: "Łódź"}, 10},
		"budget":          {chatops.Facts{Budget: 120_000}, 10},
		"booking":         {chatops.Facts{BookingIntent: true}, 8},
		"language":        {chatops.Facts{Language: "pl"}, 0},
		"no metres":       {chatops.Facts{SquareMeters: -1, Budget: -1}, 0},
		"Slack's default": {chatops.Facts{Name: "Jan", Phone: "1", Email: "a@b.pl", City: "Łódź", SquareMeters: 60}, DefaultSlackLeadScore},
	} {
		if got := Score(&c.facts); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestFactsOf_ReadsALeadAsAConversationHasIt(t *testing.T) {
	t.Parallel()
	for size, want := range map[string]int{"60": 60, " 60 ": 60, "": 0, "0": 0, "-5": 0, "60 m2": 0, "60.5": 0, "99999999999999999999": 0} {
		l := chatops.Lead{Name: "Jan", Email: "a@b.pl", Phone: "+48600700800", Location: "Łódź", InterestedPackage: "Comfort", PropertySize: size}
		got := factsOf(&l)
		if got != (chatops.Facts{Name: "Jan", Email: "a@b.pl", Phone: "+48600700800", City: "Łódź", Package: "Comfort", SquareMeters: want}) {
			t.Errorf("%q: %+v", size, got)
		}
	}
}

func TestCreateLead_WakesTheEngineOnlyForWhatIsStored(t *testing.T) {
	t.Parallel()
	errDown := chatops.Errorf(chatops.CodeUnavailable, "down")
	for _, c := range []struct {
		name  string
		fail  error
		wakes int
	}{{"stored", nil, 1}, {"not stored", errDown, 0}} {
		store, wakes := onceStoreOf(t, c.fail), 0
		s, _ := testService(t, func(o *Options) { o.Leads, o.WakeFunc = store, func() { wakes++ } })
		lead, replayed, err := s.CreateLead(t.Context(), &chatops.Lead{Name: "Jan", Phone: "+48600700800"}, nil, chatops.ChatConsent{})
		if !errors.Is(err, c.fail) || replayed || wakes != c.wakes || (lead == nil) != (c.fail != nil) {
			t.Errorf("%s: %+v, %v, %d wake-ups", c.name, lead, err, wakes)
		}
	}
	s, _ := testService(t)
	if _, _, err := s.CreateLead(t.Context(), &chatops.Lead{}, nil, chatops.ChatConsent{}); chatops.ErrorCode(err) != chatops.CodeInternal {
		t.Errorf("without a store for leads: %v", err)
	}
}

// onceStoreOf is a store for leads that fails with an error, if any.
func onceStoreOf(tb testing.TB, fail error) *onceStore {
	tb.Helper()
	_, store := withOnce(tb)
	store.fail = fail
	return store
}

func TestLead_CarriesTheFactsOfTheConversation(t *testing.T) {
	t.Parallel()
	facts := chatops.Facts{Name: "Jan", Email: "a@b.pl", Phone: "+48600700800", City: "Łódź", SquareMeters: 60, Budget: 120_000, Package: "Comfort"}
	for name, c := range map[string]struct {
		facts         chatops.Facts
		size, message string
		marketing     bool
	}{
		"everything": {facts, "60", "budget: 120000 PLN", true},
		"little":     {chatops.Facts{Name: "Jan", Phone: "+48600700800"}, "", "", false},
	} {
		x := exchange{conv: chatops.Conversation{SessionID: "s", Facts: c.facts, MarketingConsent: c.marketing, RODOConsent: !c.marketing}}
		l := x.lead()
		if l.PropertySize != c.size || l.Message != c.message || l.MarketingConsent != c.marketing || l.RODOConsent == c.marketing || !l.DataConfirmed {
			t.Errorf("%s: %+v", name, l)
		}
		if back := factsOf(l); back.Name != c.facts.Name || back.City != c.facts.City || back.SquareMeters != c.facts.SquareMeters || l.LeadScore != Score(&c.facts) {
			t.Errorf("%s: reads back as %+v", name, back)
		}
	}
}

func TestKeySession_IsShortAndOneForEachSession(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := strings.Repeat("s", rapid.IntRange(0, 2*maxKeySession).Draw(t, "length"))
		b := a + rapid.StringN(0, 2, -1).Draw(t, "more")
		if len(keySession(a)) > maxKeySession || (keySession(a) == keySession(b)) != (a == b) {
			t.Fatalf("%q and %q: %q and %q", a, b, keySession(a), keySession(b))
		}
		if len(a) <= maxKeySession && keySession(a) != a {
			t.Fatalf("%q becomes %q", a, keySession(a))
		}
	})
}

// Whatever a visitor is called, an alert stays one: valid for the queue, its
// subject one line, its Slack text without a mention or a link.
func TestLeadAlerts_AreSoundForAnyFacts(t *testing.T) {
	t.Parallel()
	s, _ := testService(t, func(o *Options) { o.SlackLeadScore = -1 })
	piece := rapid.SampledFrom([]string{"Jan", "<!channel>", "&", "\r\nBcc: x@y.pl", "\u2028", "\x00", "{name}", "*", "`", "ł", "<https://evil|x>", "\"", "\u0085", " "})
	rapid.Check(t, func(t *rapid.T) {
		word := func(what string) string {
			return strings.Join(rapid.SliceOfN(piece, 1, 5).Draw(t, what), "")
		}
		f := chatops.Facts{Name: word("name"), City: word("city"), Package: word("package"), Phone: "+48600700800", SquareMeters: rapid.IntRange(0, 500).Draw(t, "area")}
		lead := &chatops.Lead{SessionID: rapid.StringN(1, 120, 250).Draw(t, "session"), Name: f.Name, LeadScore: Score(&f)}
		alerts, err := s.leadAlerts(lead, &f, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		if err != nil || len(alerts) != 4 {
			t.Fatalf("%d alerts, %v", len(alerts), err)
		}
		for _, a := range alerts {
			if err := a.Validate(); err != nil {
				t.Fatalf("%s: %v", a.EventType, err)
			}
			checkAlert(t, a)
		}
	})
}

func checkAlert(t *rapid.T, a chatops.NewAlert) {
	var p struct {
		Text     string         `json:"text"`
		Subject  string         `json:"subject"`
		ItemName string         `json:"item_name"`
		Data     map[string]any `json:"data"`
	}
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		t.Fatalf("%s: %v", a.Payload, err)
	}
	if strings.ContainsAny(p.Subject+p.ItemName, "\r\n\u0085\u2028") {
		t.Fatalf("%s: a heading of several lines", a.Payload)
	}
	if a.EventType == chatops.EventSlackAlert && strings.ContainsAny(p.Text, "<>") {
		t.Fatalf("%s: Slack reads signs of its own", a.Payload)
	}
	for field, v := range p.Data {
		if v == "" {
			t.Fatalf("%s: %s is unknown and named", a.Payload, field)
		}
	}
}
