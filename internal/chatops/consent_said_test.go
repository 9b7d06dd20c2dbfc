package chatops

import (
	"testing"

	"pgregory.net/rapid"
)

func TestConsentSaid_NotesNameTextLanguageAndChannel(t *testing.T) {
	t.Parallel()
	text := ConsentText{ID: 7, Version: 2, Locale: "pl"}
	for want, s := range map[string]ConsentSaid{
		"text=7; version=2; locale=pl; channel=chat": {Given: true, Text: text, Locale: "en", Channel: "chat"},
		"locale=en; channel=form":                    {Given: true, Locale: "en", Channel: "form"},
		"locale=de; channel=chat":                    {Text: text, Locale: "de", Channel: "chat"},
		"channel=chat":                               {Channel: "chat"},
	} {
		if got := s.AuditNotes(); got != want {
			t.Errorf("%+v has the notes %q, want %q", s, got, want)
		}
	}
}

func TestConsentSaid_EveryKindHasActionsOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[ConsentAction]bool{}
	for _, k := range ConsentKinds() {
		for _, given := range []bool{true, false} {
			s := ConsentSaid{Kind: k, Given: given}
			yes, no := s.Actions()
			if want := map[bool]ConsentAction{true: yes, false: no}[given]; s.Action() != want || seen[want] || len(want) > 50 {
				t.Errorf("%s given %v is %q", k, given, s.Action())
			}
			seen[s.Action()] = true
		}
	}
}

// What is on record must always say what the person said last, unless that is a
// no to something that never was; and repeating it adds nothing.
func TestConsentSaid_RecordFollowsWhatWasSaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var last ConsentAction
		var notes string
		flag := rapid.Bool().Draw(t, "implied")
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			if rapid.IntRange(0, 4).Draw(t, "withdrawn elsewhere") == 0 {
				flag = false
			}
			s := ConsentSaid{
				Kind: KindMarketing, Given: rapid.Bool().Draw(t, "given"), Was: flag, Channel: "chat",
				Text: ConsentText{ID: rapid.Int64Range(1, 2).Draw(t, "text"), Version: 1, Locale: "pl"},
			}
			news := s.News(last, notes)
			if s.Given && !flag && !news {
				t.Fatalf("a consent that changes something is not on record: %+v after %q", s, last)
			}
			if !s.Given && flag && last == "" && !news {
				t.Fatalf("the withdrawal of a default is not on record: %+v", s)
			}
			if news {
				last, notes = s.Action(), s.AuditNotes()
			}
			if s.Given && (last != s.Action() || notes != s.AuditNotes()) {
				t.Fatalf("on record is %q %q, said was %+v", last, notes, s)
			}
			if !s.Given && last == ActionMarketingGiven {
				t.Fatalf("on record is still %q after %+v", last, s)
			}
			flag = s.Given
			if s.Was = flag; s.News(last, notes) {
				t.Fatalf("said again at once, %+v is news after %q", s, last)
			}
		}
	})
}

func TestCheckSaid_WantsASession(t *testing.T) {
	t.Parallel()
	said := []ConsentSaid{{Kind: KindMarketing, Given: true}, {Kind: KindRODO}}
	if err := CheckSaid(&Lead{}, said); ErrorCode(err) != CodeInvalid {
		t.Errorf("without a session: %v", err)
	}
	if err := CheckSaid(&Lead{SessionID: "s"}, said); err != nil {
		t.Errorf("with a session: %v", err)
	}
	if err := CheckSaid(&Lead{}, nil); err != nil {
		t.Errorf("with nothing said: %v", err)
	}
	if SaysRODO(said) || !SaysRODO(append(said, ConsentSaid{Kind: KindRODO, Given: true})) {
		t.Error("RODO consent is found where it is not given, or not where it is")
	}
}
