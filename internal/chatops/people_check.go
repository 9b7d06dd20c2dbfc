package chatops

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What the stores can keep, in characters.
const (
	maxEmail      = 255
	maxOnceScope  = 200
	maxOnceText   = 64
	maxOriginIP   = 50
	maxOriginUA   = 500
	maxOriginText = 1000
)

// Validate reports the first field that a store cannot keep, as CodeInvalid. An
// empty status is the status of a new lead.
func (l *Lead) Validate() error {
	switch {
	case l.Status != "" && !l.Status.Valid():
		return errLeadStatus(l.Status)
	case l.LeadScore < math.MinInt32 || l.LeadScore > math.MaxInt32:
		return Errorf(CodeInvalid, "lead score %d: must be 0 to 100", l.LeadScore)
	}
	return checkEmailLength(l.Email)
}

// Validate reports the first new value that a store cannot keep, as
// CodeInvalid.
func (c *LeadChange) Validate() error {
	if c.Status != nil && !c.Status.Valid() {
		return errLeadStatus(*c.Status)
	}
	if c.Email != nil {
		return checkEmailLength(*c.Email)
	}
	return nil
}

// Validate reports a state or sort column that does not exist, as CodeInvalid.
func (f *LeadFilter) Validate() error {
	if f.Status != "" && !f.Status.Valid() {
		return errLeadStatus(f.Status)
	}
	for _, s := range LeadSorts() {
		if f.Sort == "" || f.Sort == s {
			return nil
		}
	}
	return Errorf(CodeInvalid, "sort leads by %q: must be one of %s", f.Sort, joinTexts(LeadSorts()))
}

func errLeadStatus(s LeadStatus) error {
	return Errorf(CodeInvalid, "lead status %q: must be one of %s", s, joinTexts(LeadStatuses()))
}

func checkEmailLength(address string) error {
	if n := utf8.RuneCountInString(address); n > maxEmail {
		return Errorf(CodeInvalid, "e-mail address of %d characters: at most %d", n, maxEmail)
	}
	return nil
}

func joinTexts[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = string(t)
	}
	return strings.Join(texts, ", ")
}

// Validate reports a part that a store cannot keep, as CodeInvalid.
func (k *OnceKey) Validate() error {
	switch {
	case k.Scope == "" || len(k.Scope) > maxOnceScope:
		return Errorf(CodeInvalid, "scope of an idempotency key: must have 1 to %d bytes, not %d", maxOnceScope, len(k.Scope))
	case k.Key == "" || len(k.Key) > maxOnceText, k.Body == "" || len(k.Body) > maxOnceText:
		return Errorf(CodeInvalid, "idempotency key and its body must be given as digests of 1 to %d bytes", maxOnceText)
	case k.Owner == "" || len(k.Owner) > maxOnceText:
		return Errorf(CodeInvalid, "owner of an idempotency key: must have 1 to %d bytes, not %d", maxOnceText, len(k.Owner))
	}
	return nil
}

// Validate reports a withdrawal that names nobody or nothing, as CodeInvalid.
func (w *ConsentWithdrawal) Validate() error {
	switch {
	case w.Action != ActionUnsubscribe && w.Action != ActionRevoke:
		return Errorf(CodeInvalid, "withdrawal of consent by action %q: must be %s or %s", w.Action, ActionUnsubscribe, ActionRevoke)
	case w.EmailKey == "" && w.ConversationID == 0 && w.LeadID == 0:
		return Errorf(CodeInvalid, "withdrawal of consent: must name an e-mail address, a conversation or a lead")
	}
	return checkEmailLength(w.EmailKey)
}

// Validate reports a grant that names nobody or nothing, as CodeInvalid.
func (g *ConsentGrant) Validate() error {
	switch {
	case g.EmailKey == "":
		return Errorf(CodeInvalid, "grant of consent: must name an e-mail address")
	case !g.Marketing && !g.RODO:
		return Errorf(CodeInvalid, "grant of consent: must say what is agreed to")
	}
	return checkEmailLength(g.EmailKey)
}

// AuditNotes are the notes of a grant's audit row: the text that was agreed to,
// what was given, and where.
func (g *ConsentGrant) AuditNotes() string {
	parts := []string{}
	if text := g.Text.AuditNotes(); text != "" {
		parts = append(parts, text)
	}
	for _, given := range []struct {
		name string
		yes  bool
	}{{"marketing", g.Marketing}, {"rodo", g.RODO}} {
		if given.yes {
			parts = append(parts, given.name+"=true")
		}
	}
	if g.Notes != "" {
		parts = append(parts, clip(g.Notes, maxOriginText))
	}
	return strings.Join(parts, "; ")
}

// Validate reports a suppression that a store cannot keep, as CodeInvalid.
func (s *Suppression) Validate() error {
	switch {
	case s.EmailKey == "":
		return Errorf(CodeInvalid, "suppression: must name an e-mail address")
	case s.Scope != "marketing" && s.Scope != "all":
		return Errorf(CodeInvalid, "suppression of scope %q: must be marketing or all", s.Scope)
	}
	return checkEmailLength(s.EmailKey)
}

// ClippedSource is the source of a suppression as it is kept.
func (s *Suppression) ClippedSource() string { return clip(s.Source, maxOriginIP) }

// Clipped returns the origin as the audit log keeps it: clean text, and no more
// of it than the fields say.
func (o ConsentOrigin) Clipped() ConsentOrigin {
	return ConsentOrigin{
		IPAddress: clip(o.IPAddress, maxOriginIP),
		UserAgent: clip(o.UserAgent, maxOriginUA),
		Reason:    clip(o.Reason, maxOriginText),
	}
}

func clip(s string, n int) string {
	s = CleanText(s)
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// fewLetters bounds the spellings of an address: 2 to the power of it.
const fewLetters = 4

// EmailSpellings returns the spellings of a normalised address that remain when
// letter case is folded in ASCII only, as SQLite and PostgreSQL's C locale do,
// so that a look-up by them finds an address whatever its case. The address
// itself is the first. Of an address with more than a few letters outside ASCII,
// only the spellings in one case are returned. A letter whose capital is that of
// another letter too, such as the Greek final sigma, keeps its case: its capital
// belongs to the other address.
func EmailSpellings(key string) []string {
	letters := []rune(key)
	var cased []int
	for i, r := range letters {
		if upper := unicode.ToUpper(r); r > unicode.MaxASCII && upper != r && unicode.ToLower(upper) == r {
			cased = append(cased, i)
		}
	}
	list := []string{key}
	if len(cased) > fewLetters {
		for _, i := range cased {
			letters[i] = unicode.ToUpper(letters[i])
		}
		return append(list, string(letters))
	}
	for mask := 1; mask < 1<<len(cased); mask++ {
		upper := []rune(key)
		for bit, i := range cased {
			if mask>>bit&1 == 1 {
				upper[i] = unicode.ToUpper(upper[i])
			}
		}
		list = append(list, string(upper))
	}
	return list
}
