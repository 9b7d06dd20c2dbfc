package chat

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// line is something that a visitor says, with what it tells.
type line struct {
	text    string
	name    string
	phone   string
	city    string
	area    int
	yes, no bool
}

func lines() *rapid.Generator[line] {
	return rapid.OneOf(
		rapid.SampledFrom([]line{
			{text: "Cześć"}, {text: "ile to kosztuje?"}, {text: "ile trwa remont?"}, {text: "jaka jest gwarancja?"}, {text: "dziękuję"}, {text: "pogoda dziś ładna"},
		}),
		rapid.SampledFrom([]line{{text: "tak, zgadza się", yes: true}, {text: "potwierdzam", yes: true}, {text: "nie", no: true}, {text: "nie zgadza się", no: true}}),
		rapid.Custom(func(t *rapid.T) line {
			n := rapid.IntRange(20, 300).Draw(t, "area")
			return line{text: formatNumber(Polish, n) + " m2", area: n}
		}),
		rapid.Custom(func(t *rapid.T) line {
			c := rapid.SampledFrom([]string{"Kraków", "Opole", "Gdynia"}).Draw(t, "city")
			return line{text: "mieszkanie: " + c, city: c}
		}),
		rapid.Custom(func(t *rapid.T) line {
			n := rapid.SampledFrom([]string{"Jan Kowalski", "Anna Nowak"}).Draw(t, "name")
			return line{text: "nazywam się " + n, name: n}
		}),
		rapid.Custom(func(t *rapid.T) line {
			p := rapid.StringMatching(`[5-8][0-9]{2} [0-9]{3} [0-9]{3}`).Draw(t, "phone")
			return line{text: "tel. " + p, phone: "+48" + digitsOf(p)}
		}),
	)
}

// talk is what the visitor has told, kept apart from the code that reads it.
type talk struct {
	name, phone, city string
	area              int
	shown             bool // the data was shown and awaits a yes
}

func (k *talk) hear(l line) (changed bool) {
	before := *k
	for _, f := range []struct {
		into *string
		told string
	}{{&k.name, l.name}, {&k.phone, l.phone}, {&k.city, l.city}} {
		if f.told != "" {
			*f.into = f.told
		}
	}
	if l.area > 0 {
		k.area = l.area
	}
	return *k != before
}

func (k *talk) ready() bool { return k.name != "" && k.phone != "" && (k.city != "" || k.area > 0) }

// A conversation is a state machine that can be told in a few lines: what was
// told is kept, complete data is shown, only a yes to shown data stores a lead,
// and the lead holds what was shown last.
func TestDialogue_StoresALeadOnlyAfterAYesToShownData(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s, store := testService(t)
		var k talk
		var session string
		var stored talk
		has := false
		for range rapid.IntRange(1, 12).Draw(r, "turns") {
			l := lines().Draw(r, "line")
			reply, err := s.Reply(t.Context(), chatops.ChatRequest{Message: l.text, SessionID: session})
			if err != nil {
				r.Fatalf("%q: %v", l.text, err)
			}
			session = reply.SessionID
			changed := k.hear(l)
			switch {
			case l.text == "dziękuję": // neither a yes nor a no
			case k.shown && l.yes:
				has, stored, k.shown = true, k, false
				stored.shown = false
			case k.ready() && changed:
				k.shown = true
			case k.shown && l.no:
				k.shown = false
			case !has && k.ready() && l.yes:
				k.shown = true // said no before, and yes now: shown again
			}
			f := store.convs[session].Facts
			if f.Name != k.name || f.Phone != k.phone || f.City != k.city || f.SquareMeters != k.area {
				r.Fatalf("after %q the bot knows %+v, was told %+v", l.text, f, k)
			}
			if shown := reply.NextBestAction == ActionConfirmData && store.convs[session].AwaitingConfirmation; shown != k.shown {
				r.Fatalf("after %q it awaits a yes: %v, want %v\n%s", l.text, shown, k.shown, reply.Response)
			}
			checkLead(r, store, session, has, stored)
		}
	})
}

func checkLead(r *rapid.T, store *memoryStore, session string, has bool, want talk) {
	lead, ok := store.leads[session]
	if ok != has || store.created > 1 {
		r.Fatalf("%d leads were created, one is stored: %v, want %v", store.created, ok, has)
	}
	if !ok {
		if len(store.alerts) > 0 {
			r.Fatalf("alerts of no lead: %+v", store.alerts)
		}
		return
	}
	if got := factsOf(&lead); got.Name != want.name || got.Phone != want.phone || got.City != want.city || got.SquareMeters != want.area {
		r.Fatalf("the lead is %+v, confirmed was %+v", got, want)
	}
	keys := map[string]bool{}
	for _, a := range store.alerts {
		keys[a.IdempotencyKey] = true
	}
	if len(keys) != len(store.alerts) || len(keys) < 3 {
		r.Fatalf("%d alerts with %d keys", len(store.alerts), len(keys))
	}
}

func TestNextAction_GoesByWhatIsMissing(t *testing.T) {
	t.Parallel()
	ready := chatops.Facts{Name: "Jan", Email: "a@b.pl", City: "Łódź"}
	for name, c := range map[string]struct {
		conv chatops.Conversation
		want string
	}{
		"nothing":           {chatops.Conversation{}, ActionAskDetails},
		"a name":            {chatops.Conversation{Facts: chatops.Facts{Name: "Jan"}}, ActionAskDetails},
		"a budget":          {chatops.Conversation{Facts: chatops.Facts{Budget: 100_000}}, ActionAskDetails},
		"a package":         {chatops.Conversation{Facts: chatops.Facts{Package: "Comfort"}}, ActionAskName},
		"an area":           {chatops.Conversation{Facts: chatops.Facts{SquareMeters: 60}}, ActionAskName},
		"name and city":     {chatops.Conversation{Facts: chatops.Facts{Name: "Jan", City: "Łódź"}}, ActionAskContact},
		"enough":            {chatops.Conversation{Facts: ready}, ActionConfirmData},
		"shown":             {chatops.Conversation{Facts: ready, AwaitingConfirmation: true, LeadID: 1}, ActionConfirmData},
		"stored":            {chatops.Conversation{Facts: ready, LeadID: 1}, ActionBookConsultation},
		"stored and booked": {chatops.Conversation{Facts: chatops.Facts{BookingIntent: true}, LeadID: 1}, ActionDone},
	} {
		if got := nextAction(&c.conv); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// A bare number is an area and a bare word a name only right after the question.
func TestAsked_IsWhatTheLastLineAskedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		conv chatops.Conversation
		want Asked
	}{
		"before the first line": {chatops.Conversation{}, AskedNothing},
		"details":               {chatops.Conversation{Version: 1}, AskedDetails},
		"name":                  {chatops.Conversation{Version: 1, Facts: chatops.Facts{City: "Łódź"}}, AskedName},
		"contact":               {chatops.Conversation{Version: 1, Facts: chatops.Facts{City: "Łódź", Name: "Jan"}}, AskedNothing},
		"confirmation":          {chatops.Conversation{Version: 1, AwaitingConfirmation: true}, AskedNothing},
		"stored":                {chatops.Conversation{Version: 1, LeadID: 1}, AskedNothing},
	} {
		if got := asked(&c.conv); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestDialogue_NeitherOffTopicNorPrivacyIsFollowedByAQuestion(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	ask := v.s.knowledge.phrase(Polish, phraseAskDetails)
	for text, want := range map[string]bool{"Kto wygra mecz?": false, "Czy moje dane są bezpieczne?": false, "Jaka jest gwarancja?": true} {
		v.session = ""
		r := v.say(text)
		if got := strings.Contains(r.Response, ask); got != want {
			t.Errorf("%q (%v): asks on %v, want %v", text, r.Sources, got, want)
		}
	}
}

func TestDialogue_ATakenBackPackageMayLeaveTooLittle(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("Jan Kowalski, 600 700 800, pakiet Comfort")
	v.wantAction(ActionConfirmData)
	v.say("jednak nie chcę pakietu Comfort")
	v.wantAction(ActionAskDetails)
	v.say("tak")
	v.wantLeads(0)
	v.say("60 m2")
	v.wantAction(ActionConfirmData)
	v.say("tak")
	v.wantLeads(1)
	if lead := v.store.leads[v.session]; lead.InterestedPackage != "" || lead.PropertySize != "60" {
		t.Errorf("%+v", lead)
	}
}

func TestDialogue_AWishForAConsultationStaysKnown(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("chciałbym umówić konsultację")
	v.say("Jan Kowalski, 600 700 800, Łódź")
	r := v.say("tak")
	v.wantAction(ActionDone)
	if !strings.Contains(r.Response, v.s.knowledge.Company.BookingURL) {
		t.Errorf("%q does not say where to book", r.Response)
	}
	if lead := v.store.leads[v.session]; lead.LeadScore != scoreName+scorePhone+scoreCity+scoreBooking {
		t.Errorf("score %d", lead.LeadScore)
	}
}
