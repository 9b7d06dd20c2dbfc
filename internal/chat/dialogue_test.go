package chat

import (
	"slices"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

const completeSet = "Piotr Wiśniewski, Wrocław, 95m2, Express Plus, piotr.w@przyklad.pl, 511 222 333, budżet 120 tys."

func (v *visitor) wantAction(want string) {
	v.t.Helper()
	if v.last.NextBestAction != want {
		v.t.Fatalf("next_best_action %q after %q, want %q", v.last.NextBestAction, v.last.Response, want)
	}
}

func (v *visitor) wantLeads(n int) {
	v.t.Helper()
	if got := len(v.store.leads); got != n || v.store.created != n {
		v.t.Fatalf("%d leads (%d created), want %d", got, v.store.created, n)
	}
}

func TestDialogue_CollectsConfirmsAndStoresOneLead(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("Cześć")
	v.wantAction(ActionAskDetails)
	v.say("60m2 w Krakowie")
	v.wantAction(ActionAskName)
	v.say("Jan Kowalski")
	v.wantAction(ActionAskContact)
	r := v.say("600 700 800")
	v.wantAction(ActionConfirmData)
	for _, want := range []string{"Jan Kowalski", "+48600700800", "Kraków", "60 m²"} {
		if !strings.Contains(r.Response, want) {
			t.Errorf("summary %q does not show %q", r.Response, want)
		}
	}
	v.wantLeads(0)
	v.say("tak")
	v.wantLeads(1)
	v.wantAction(ActionBookConsultation)
	lead := v.store.leads[v.session]
	if lead.Name != "Jan Kowalski" || lead.Phone != "+48600700800" || lead.Location != "Kraków" || lead.PropertySize != "60" ||
		!lead.DataConfirmed || lead.Status != chatops.LeadNew || lead.Source != "chatbot" {
		t.Errorf("lead %+v", lead)
	}
	v.say("umówmy spotkanie")
	v.wantAction(ActionDone)
}

func TestDialogue_CompleteFirstMessageIsShownForConfirmation(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say(completeSet)
	v.wantAction(ActionConfirmData)
	if v.last.LeadScore < 70 {
		t.Errorf("score %d of a complete set, want at least 70", v.last.LeadScore)
	}
	v.say("Yes, that's correct")
	v.wantLeads(1)
	if v.last.Language != "en" {
		t.Errorf("language %s", v.last.Language)
	}
}

func TestDialogue_YesCountsOnlyWhileAwaited(t *testing.T) {
	t.Parallel()
	for _, yes := range []string{"tak", "ok", "potwierdzam", "yes"} {
		v := newVisitor(t)
		v.say("Cześć")
		v.say(yes)
		v.wantLeads(0)
		v.say("Jan Kowalski, Kraków")
		v.say(yes)
		v.wantLeads(0)
		v.wantAction(ActionAskContact)
	}
}

func TestDialogue_ConfirmationInTheMessageThatCompletesTheData_IsNotTaken(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say(completeSet + " Potwierdzam")
	v.wantLeads(0)
	v.wantAction(ActionConfirmData)
}

func TestDialogue_QuestionMeanwhileIsAnsweredAndLeavesTheConfirmationPending(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say(completeSet)
	r := v.say("A jaka jest gwarancja?")
	if !slices.Contains(r.Sources, "warranty") || !strings.Contains(r.Response, "36 miesięcy") {
		t.Errorf("answer %v %q", r.Sources, r.Response)
	}
	v.wantAction(ActionConfirmData)
	v.say("ok, a ile trwa remont?")
	v.wantLeads(0)
	v.wantAction(ActionConfirmData)
	v.say("tak, wszystko się zgadza")
	v.wantLeads(1)
}

func TestDialogue_CorrectionIsTakenOverAndShownAgain(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say(completeSet)
	r := v.say("nie, telefon to 500 600 700")
	v.wantLeads(0)
	v.wantAction(ActionConfirmData)
	if !strings.Contains(r.Response, "+48500600700") || r.Context.Phone != "+48500600700" {
		t.Errorf("summary %q", r.Response)
	}
	v.say("tak, ale miasto to Opole")
	v.wantLeads(0)
	v.say("zgadza się")
	if l := v.store.leads[v.session]; l.Phone != "+48500600700" || l.Location != "Opole" {
		t.Errorf("lead %+v", l)
	}
}

func TestDialogue_RefusalStoresNothingUntilShownAgain(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say(completeSet)
	v.say("nie zgadza się")
	v.wantLeads(0)
	v.say("tak") // shows the data again instead of storing what was refused
	v.wantLeads(0)
	v.wantAction(ActionConfirmData)
	v.say("tak")
	v.wantLeads(1)
}

func TestDialogue_LaterChangeUpdatesTheLeadWithoutNewAlerts(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say(completeSet)
	v.say("tak")
	queued := len(v.store.alerts)
	v.say("jednak Premium")
	v.wantAction(ActionConfirmData)
	if got := v.store.leads[v.session].InterestedPackage; got != "Express Plus" {
		t.Errorf("package %q before the change is confirmed", got)
	}
	v.say("tak")
	v.wantLeads(1)
	if got := v.store.leads[v.session].InterestedPackage; got != "Premium" {
		t.Errorf("package %q after the change was confirmed", got)
	}
	if len(v.store.alerts) != queued {
		t.Errorf("%d alerts, want %d as before", len(v.store.alerts), queued)
	}
}

func TestDialogue_SecondYesChangesNothing(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say(completeSet)
	v.say("tak")
	before := v.store.leads[v.session]
	r := v.say("tak")
	v.wantLeads(1)
	if v.store.leads[v.session] != before || r.Response != v.s.knowledge.phrase(Polish, phraseAlreadySaved) {
		t.Errorf("second yes: %q", r.Response)
	}
}

func TestDialogue_QuestionAboutAnotherPackageDoesNotChangeTheChoice(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("interesuje mnie Comfort, 60 m2, Kraków")
	r := v.say("A ile za 70 m2 w Premium?")
	if r.Context.Package != "Comfort" || r.Context.SquareMeters != 60 {
		t.Errorf("context %+v", r.Context)
	}
	if !strings.Contains(r.Response, "139 930 zł") {
		t.Errorf("estimate %q", r.Response)
	}
	v.say("działacie też w Gdyni?")
	if v.last.Context.City != "Kraków" || !strings.Contains(v.last.Response, "Gdynia") {
		t.Errorf("city %q, %q", v.last.Context.City, v.last.Response)
	}
}

func TestDialogue_TakenBackPackageIsForgotten(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("chcę pakiet Premium, 60 m2")
	r := v.say("nie chcę premium")
	if r.Context.Package != "" {
		t.Errorf("package %q", r.Context.Package)
	}
}

func TestDialogue_BareAnswersAreReadInTheLightOfTheQuestion(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("dzień dobry")
	if r := v.say("60"); r.Context.SquareMeters != 60 {
		t.Errorf("context %+v", r.Context)
	}
	if r := v.say("ania"); r.Context.Name != "Ania" {
		t.Errorf("context %+v", r.Context)
	}
	other := newVisitor(t)
	if r := other.say("60"); r.Context.SquareMeters != 0 {
		t.Errorf("a bare number that nobody asked for became %d m2", r.Context.SquareMeters)
	}
}

func TestDialogue_StaysInTheLanguageWhereAMessageTellsNone(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("Hello, what is the price?")
	if r := v.say("60 m2, Gdynia"); r.Language != "en" {
		t.Errorf("language %s", r.Language)
	}
	if r := v.say("A jaka jest gwarancja?"); r.Language != "pl" {
		t.Errorf("language %s", r.Language)
	}
}

func TestDialogue_TakesPolishAndForNoEnglish(t *testing.T) {
	t.Parallel()
	for _, message := range []string{"porównaj express i express plus", "porownaj express i comfort", "Comfort i Premium"} {
		if r := newVisitor(t).say(message); r.Language != "pl" {
			t.Errorf("%q: language %s", message, r.Language)
		}
	}
	for _, message := range []string{"I need a price", "Can I pay later", "I live in Gdynia"} {
		if r := newVisitor(t).say(message); r.Language != "en" {
			t.Errorf("%q: language %s", message, r.Language)
		}
	}
}

func TestDialogue_EstimateMultipliesAreaByPrice(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"Ile zapłacę za 60 m2 w Express?":           "59 940 zł",
		"Policz mi 75m2 comfort":                    "112 425 zł",
		"How much for 50 sqm in Premium?":           "PLN 99,950",
		"wycena 47,5 m2 express plus":               "57 552 zł",
		"ile za 60 m2 w comfort albo w premium":     "119 940 zł",
		"Policz 100 m2":                             "199 900 zł",
		"policz 40 m2 w pakiecie indywidualnym":     "wycena indywidualna",
		"calculate 40 m2 in the Individual package": "by individual estimate",
	} {
		v := newVisitor(t)
		r := v.say(message)
		if !slices.Contains(r.Sources, "estimate") || !strings.Contains(r.Response, want) {
			t.Errorf("%q: %v %q, want %q", message, r.Sources, r.Response, want)
		}
	}
}

func TestDialogue_AnswersTwoQuestionsOfOneMessage(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		"Jaką dajecie gwarancję? Ile trwa remont?", "Jak długo trwa remont i jaka jest gwarancja?",
	} {
		v := newVisitor(t)
		r := v.say(message)
		if !slices.Contains(r.Sources, "warranty") || !slices.Contains(r.Sources, "duration") {
			t.Errorf("%q: sources %v", message, r.Sources)
		}
	}
}

func TestDialogue_ExamplesAnswerWithTheExpectedText(t *testing.T) {
	t.Parallel()
	for _, c := range readCases[questionCase](t, "questions.jsonl") {
		v := newVisitor(t)
		r := v.say(c.Question)
		if !slices.Contains(r.Sources, string(c.Topic)) || r.Language != string(c.Lang) || !strings.Contains(r.Response, c.Contains) {
			t.Errorf("%q: %v %s %q", c.Question, r.Sources, r.Language, r.Response)
		}
	}
}

func TestDialogue_ExamplesConfirmOnlyWhereTheyShould(t *testing.T) {
	t.Parallel()
	for _, c := range readCases[extractionCase](t, "extraction.jsonl") {
		if c.Confirms == nil {
			continue
		}
		v := newVisitor(t)
		v.say(completeSet)
		v.say(c.Message)
		if got := len(v.store.leads) == 1; got != *c.Confirms {
			t.Errorf("%q stored a lead: %v, want %v", c.Message, got, *c.Confirms)
		}
	}
}

func TestDialogue_ThanksEndPolitely(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	if r := v.say("Dziękuję bardzo!"); len(r.Sources) != 0 || r.Response != v.s.knowledge.phrase(Polish, phraseThanks) {
		t.Errorf("%v %q", r.Sources, r.Response)
	}
}

func TestScore_NeverFallsWhenMoreIsKnown(t *testing.T) {
	t.Parallel()
	complete := chatops.Facts{
		Name: "A", Email: "a@b.pl", Phone: "+48123456789", City: "Opole", SquareMeters: 50, Budget: 1, Package: "Comfort",
	}
	if got := Score(&complete); got < 70 {
		t.Errorf("complete set scores %d", got)
	}
	all := complete
	all.BookingIntent = true
	if got := Score(&all); got != 100 {
		t.Errorf("everything scores %d, want 100", got)
	}
	if got := Score(&chatops.Facts{}); got != 0 {
		t.Errorf("nothing scores %d", got)
	}
	for mask := range 1 << 8 {
		for bit := range 8 {
			less, more := pickFacts(&all, mask&^(1<<bit)), pickFacts(&all, mask|1<<bit)
			if Score(&less) >= Score(&more) {
				t.Fatalf("knowing more lowers the score: %+v %d, %+v %d", less, Score(&less), more, Score(&more))
			}
		}
	}
}

// pickFacts keeps the facts whose bit is set.
func pickFacts(f *chatops.Facts, mask int) chatops.Facts {
	out := *f
	for bit, forget := range []func(){
		func() { out.Name = "" }, func() { out.Email = "" }, func() { out.Phone = "" }, func() { out.City = "" },
		func() { out.SquareMeters = 0 }, func() { out.Budget = 0 }, func() { out.Package = "" }, func() { out.BookingIntent = false },
	} {
		if mask&(1<<bit) == 0 {
			forget()
		}
	}
	return out
}
