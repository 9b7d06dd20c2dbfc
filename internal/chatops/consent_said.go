package chatops

import "strings"

// ConsentSaid is what a person says about one consent in a conversation or with
// a form, for the audit log.
type ConsentSaid struct {
	Kind    ConsentKind
	Given   bool
	Was     bool        // the consent's flag before
	Text    ConsentText // that was agreed to; ID 0: not known
	Locale  string      // language in which it was asked for; that of Text where it is known
	Channel string      // "chat", "form"
	Origin  ConsentOrigin
}

// Actions are what the audit log calls giving and withdrawing the consent.
func (s *ConsentSaid) Actions() (given, withdrawn ConsentAction) {
	if s.Kind == KindMarketing {
		return ActionMarketingGiven, ActionMarketingWithdraw
	}
	return ActionRODOGiven, ActionRODOWithdraw
}

// Action is what the audit log calls it.
func (s *ConsentSaid) Action() ConsentAction {
	given, withdrawn := s.Actions()
	if s.Given {
		return given
	}
	return withdrawn
}

// AuditNotes are the notes of its audit row: the text that was agreed to, the
// language and the channel.
func (s *ConsentSaid) AuditNotes() string {
	notes := ""
	if s.Given {
		notes = s.Text.AuditNotes()
	}
	if notes == "" && s.Locale != "" {
		notes = "locale=" + s.Locale
	}
	return strings.TrimPrefix(notes+"; channel="+s.Channel, "; ")
}

// News reports whether it has to be put on record, after what the conversation
// said last about the same consent: its action, "" for nothing, and the notes.
// Clients may repeat with every message what was said before; and a box that
// was never ticked is no withdrawal.
func (s *ConsentSaid) News(last ConsentAction, notes string) bool {
	if last == "" {
		return s.Given || s.Was
	}
	return last != s.Action() || s.Given && (!s.Was || notes != s.AuditNotes())
}

// CheckSaid reports what keeps a lead of a form from being stored with what was
// said about consent, as CodeInvalid.
func CheckSaid(l *Lead, said []ConsentSaid) error {
	if len(said) > 0 && l.SessionID == "" {
		return Errorf(CodeInvalid, "consent with a lead: the lead needs a session of its own")
	}
	return nil
}

// SaysRODO reports whether consent to the processing of data is given.
func SaysRODO(said []ConsentSaid) bool {
	for i := range said {
		if said[i].Kind == KindRODO && said[i].Given {
			return true
		}
	}
	return false
}
