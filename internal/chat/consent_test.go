package chat

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"chatops/internal/chatops"
)

// texts are wordings by their numbers, all of them current.
type texts struct {
	list []chatops.ConsentText
	err  error
}

func (f *texts) CurrentConsentText(_ context.Context, kind chatops.ConsentKind, locale string) (*chatops.ConsentText, error) {
	for _, t := range f.list {
		if t.Kind == kind && t.Locale == locale {
			return &t, f.err
		}
	}
	return nil, chatops.Errorf(chatops.CodeNotFound, "no such text")
}

func (f *texts) ConsentText(_ context.Context, id int64) (*chatops.ConsentText, error) {
	for _, t := range f.list {
		if t.ID == id {
			return &t, f.err
		}
	}
	return nil, chatops.Errorf(chatops.CodeNotFound, "no such text")
}

func someTexts() *texts {
	return &texts{list: []chatops.ConsentText{
		{ID: 1, Kind: chatops.KindMarketing, Locale: "pl", Version: 1}, {ID: 2, Kind: chatops.KindMarketing, Locale: "en", Version: 1},
		{ID: 3, Kind: chatops.KindRODO, Locale: "pl", Version: 1}, {ID: 4, Kind: chatops.KindMarketing, Locale: "pl", Version: 2},
	}}
}

// shortly writes what was said.
func shortly(said []chatops.ConsentSaid) []string {
	list := []string{}
	for i := range said {
		list = append(list, fmt.Sprintf("%s (%s) was %v from %s", said[i].Action(), said[i].AuditNotes(), said[i].Was, said[i].Origin.IPAddress))
	}
	return list
}

func TestConsent_IsPutOnRecordWithTheTextThatWasShown(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	from := chatops.ConsentOrigin{IPAddress: "192.0.2.1"}
	for _, c := range []struct {
		name, message string
		consent       chatops.ChatConsent
		want          []string
	}{
		{"nothing", "dzień dobry", chatops.ChatConsent{Origin: from}, []string{}},
		{"boxes that were never ticked", "dzień dobry", chatops.ChatConsent{Marketing: &no, RODO: &no, Origin: from}, []string{}},
		{
			"both, in the language of the conversation", "dzień dobry, ile kosztuje remont?", chatops.ChatConsent{Marketing: &yes, RODO: &yes, Origin: from},
			[]string{
				"marketing_consent_given (text=1; version=1; locale=pl; channel=chat) was false from 192.0.2.1",
				"rodo_consent_given (text=3; version=1; locale=pl; channel=chat) was false from 192.0.2.1",
			},
		},
		{
			"in English, where one text is missing", "hello, what does it cost?", chatops.ChatConsent{Marketing: &yes, RODO: &yes, Origin: from},
			[]string{
				"marketing_consent_given (text=2; version=1; locale=en; channel=chat) was false from 192.0.2.1",
				"rodo_consent_given (locale=en; channel=chat) was false from 192.0.2.1",
			},
		},
		{
			"by number, whatever the language", "hello, what does it cost?", chatops.ChatConsent{Marketing: &yes, MarketingText: 4, Origin: from},
			[]string{"marketing_consent_given (text=4; version=2; locale=pl; channel=chat) was false from 192.0.2.1"},
		},
	} {
		v := newVisitor(t, func(o *Options) { o.Texts = someTexts() })
		if _, err := v.s.Reply(t.Context(), chatops.ChatRequest{Message: c.message, Consent: c.consent}); err != nil {
			t.Fatal(err)
		}
		if got := shortly(v.store.spoken); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: on record %q, want %q", c.name, got, c.want)
		}
	}
}

func TestConsent_WithdrawnInAConversationIsOnRecord(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	v := newVisitor(t, func(o *Options) { o.Texts, o.ConsentMode = someTexts(), ConsentImplied })
	r, err := v.s.Reply(t.Context(), chatops.ChatRequest{Message: "dzień dobry", Consent: chatops.ChatConsent{Marketing: &no, RODO: &yes}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.s.Reply(t.Context(), chatops.ChatRequest{Message: "do widzenia", SessionID: r.SessionID, Consent: chatops.ChatConsent{RODO: &no}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"marketing_consent_withdrawn (locale=pl; channel=chat) was true from ",
		"rodo_consent_given (text=3; version=1; locale=pl; channel=chat) was true from ",
		"rodo_consent_withdrawn (locale=pl; channel=chat) was true from ",
	}
	if got := shortly(v.store.spoken); !reflect.DeepEqual(got, want) {
		t.Errorf("on record %q, want %q", got, want)
	}
}

func TestConsent_ToATextThatDoesNotExistIsRefused(t *testing.T) {
	t.Parallel()
	yes := true
	for name, c := range map[string]struct {
		consent chatops.ChatConsent
		err     error
		code    chatops.Code
	}{
		"unknown":      {chatops.ChatConsent{Marketing: &yes, MarketingText: 9}, nil, chatops.CodeInvalid},
		"of the other": {chatops.ChatConsent{RODO: &yes, RODOText: 1}, nil, chatops.CodeInvalid},
		"out of reach": {chatops.ChatConsent{RODO: &yes}, chatops.Errorf(chatops.CodeUnavailable, "no database"), chatops.CodeUnavailable},
	} {
		v := newVisitor(t, func(o *Options) {
			some := someTexts()
			some.err = c.err
			o.Texts = some
		})
		_, err := v.s.Reply(t.Context(), chatops.ChatRequest{Message: "dzień dobry", Consent: c.consent})
		if chatops.ErrorCode(err) != c.code || len(v.store.convs) > 0 {
			t.Errorf("%s: %v, %d conversations", name, err, len(v.store.convs))
		}
	}
}

func TestCreateLead_GivesWhatWasTickedElseWhatTheModeSays(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for _, c := range []struct {
		mode            string
		consent         chatops.ChatConsent
		marketing, rodo bool
		want            []string
	}{
		{ConsentExplicit, chatops.ChatConsent{Locale: "pl"}, false, false, []string{}},
		{ConsentImplied, chatops.ChatConsent{Locale: "pl"}, true, true, []string{}},
		{
			ConsentExplicit, chatops.ChatConsent{Locale: "pl", Marketing: &yes, RODO: &no}, true, false,
			[]string{"marketing_consent_given (text=1; version=1; locale=pl; channel=form) was false from "},
		},
		{
			ConsentImplied, chatops.ChatConsent{Locale: "de", Marketing: &no, RODO: &yes}, false, true,
			[]string{
				"marketing_consent_withdrawn (locale=de; channel=form) was true from ",
				"rodo_consent_given (locale=de; channel=form) was true from ",
			},
		},
	} {
		s, store := withOnce(t, func(o *Options) { o.Texts, o.ConsentMode = someTexts(), c.mode })
		l, _, err := s.CreateLead(t.Context(), &chatops.Lead{Name: "A", Email: "a@x.pl"}, nil, c.consent)
		if err != nil {
			t.Fatal(err)
		}
		if got := shortly(store.said); l.MarketingConsent != c.marketing || l.RODOConsent != c.rodo || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: marketing %v, rodo %v, on record %q", c.mode, l.MarketingConsent, l.RODOConsent, got)
		}
	}
	s, store := withOnce(t, func(o *Options) { o.Texts = someTexts() })
	_, _, err := s.CreateLead(t.Context(), &chatops.Lead{Name: "A"}, nil, chatops.ChatConsent{Marketing: &yes, MarketingText: 99})
	if chatops.ErrorCode(err) != chatops.CodeInvalid || len(store.forms) > 0 {
		t.Errorf("an unknown text: %v, %d leads", err, len(store.forms))
	}
}
