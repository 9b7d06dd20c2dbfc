package chat

import (
	"slices"
	"strings"

	"chatops/internal/chatops"
)

// placeholders may stand in answers and phrases, in braces.
var placeholders = []string{
	"company", "phone", "email", "address", "booking_url", "privacy_url", "areas",
	"prices", "cheapest", "most_expensive", "comparison", "included", "estimate",
	"city", "square_meters", "name", "data",
}

// The lines of the dialogue that dialogue.toml must hold.
const (
	phraseAskDetails    = "ask_details"
	phraseAskName       = "ask_name"
	phraseAskContact    = "ask_contact"
	phraseNoted         = "noted"
	phraseSummary       = "summary"
	phraseSummaryUpdate = "summary_update"
	phrasePending       = "pending"
	phraseDenied        = "denied"
	phraseConfirmed     = "confirmed"
	phraseUpdated       = "updated"
	phraseAlreadySaved  = "already_saved"
	phraseThanks        = "thanks"
	phraseBook          = "book"
	phraseByEstimate    = "by_estimate"
	phrasePerM2         = "per_m2"
	phraseLabelName     = "label_name"
	phraseLabelEmail    = "label_email"
	phraseLabelPhone    = "label_phone"
	phraseLabelCity     = "label_city"
	phraseLabelArea     = "label_area"
	phraseLabelPackage  = "label_package"
	phraseLabelBudget   = "label_budget"
)

var phraseKeys = []string{
	phraseAskDetails, phraseAskName, phraseAskContact, phraseNoted, phraseSummary, phraseSummaryUpdate, phrasePending,
	phraseDenied, phraseConfirmed, phraseUpdated, phraseAlreadySaved, phraseThanks, phraseBook, phraseByEstimate, phrasePerM2,
	phraseLabelName, phraseLabelEmail, phraseLabelPhone, phraseLabelCity, phraseLabelArea, phraseLabelPackage, phraseLabelBudget,
}

// placeholderNames returns the names in braces of a text.
func placeholderNames(text string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(text, "{")
		if !ok {
			return out
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			return append(out, rest+" without a closing brace")
		}
		out, text = append(out, name), after
	}
}

// renderer fills answers with what the company sells and the visitor has told.
type renderer struct {
	k        *Knowledge
	lang     Lang
	facts    chatops.Facts
	packages []string // those that the message names
}

// render replaces the placeholders of a text.
func (r *renderer) render(text string) string {
	var b strings.Builder
	for {
		head, rest, ok := strings.Cut(text, "{")
		b.WriteString(head)
		if !ok {
			return strings.TrimSpace(b.String())
		}
		name, after, _ := strings.Cut(rest, "}")
		b.WriteString(r.value(name))
		text = after
	}
}

func (r *renderer) value(name string) string {
	c := &r.k.Company
	switch name {
	case "company":
		return c.Name
	case "phone":
		return c.Phone
	case "email":
		return c.Email
	case "address":
		return c.Address
	case "booking_url":
		return c.BookingURL
	case "privacy_url":
		return c.PrivacyURL
	case "areas":
		return strings.Join(c.Areas, ", ")
	case "prices":
		return r.lines(r.k.Packages, r.price)
	case "cheapest":
		p := r.k.priced()[0]
		return p.Name + " – " + r.price(&p)
	case "most_expensive":
		list := r.k.priced()
		p := list[len(list)-1]
		return p.Name + " – " + r.price(&p)
	case "comparison":
		return r.lines(r.named(2), func(p *Package) string { return r.price(p) + ": " + p.text(r.lang).Summary })
	case "included":
		return r.lines(r.named(1), func(p *Package) string { return strings.Join(p.text(r.lang).Includes, ", ") })
	case "estimate":
		return r.lines(r.named(1), r.total)
	case "city":
		return r.facts.City
	case "square_meters":
		return formatNumber(r.lang, r.facts.SquareMeters)
	case "name":
		return r.facts.Name
	case "data":
		return r.data()
	}
	return ""
}

// named returns the packages that the message speaks of when they are at least
// so many, else all. For a single one the visitor's choice counts too.
func (r *renderer) named(least int) []Package {
	names := r.packages
	if len(names) == 0 && least == 1 && r.facts.Package != "" {
		names = []string{r.facts.Package}
	}
	if len(names) < least {
		return r.k.Packages
	}
	return slices.DeleteFunc(slices.Clone(r.k.Packages), func(p Package) bool { return !slices.Contains(names, p.Name) })
}

// lines writes a line per package.
func (r *renderer) lines(packages []Package, textFunc func(*Package) string) string {
	var b strings.Builder
	for i := range packages {
		b.WriteString("\n• " + packages[i].Name + " – " + textFunc(&packages[i]))
	}
	return strings.TrimPrefix(b.String(), "\n")
}

func (r *renderer) price(p *Package) string {
	if p.ByEstimate {
		return r.k.phrase(r.lang, phraseByEstimate)
	}
	return formatMoney(r.lang, p.PricePerM2) + r.k.phrase(r.lang, phrasePerM2)
}

// total writes the price of a package for the visitor's square metres.
func (r *renderer) total(p *Package) string {
	if p.ByEstimate {
		return r.k.phrase(r.lang, phraseByEstimate)
	}
	return formatNumber(r.lang, r.facts.SquareMeters) + " m² × " + formatMoney(r.lang, p.PricePerM2) + " = " +
		formatMoney(r.lang, r.facts.SquareMeters*p.PricePerM2)
}

// data lists the visitor's facts.
func (r *renderer) data() string {
	f := &r.facts
	var b strings.Builder
	line := func(label, value string) {
		if value != "" {
			b.WriteString("\n• " + r.k.phrase(r.lang, label) + ": " + value)
		}
	}
	line(phraseLabelName, f.Name)
	line(phraseLabelPhone, f.Phone)
	line(phraseLabelEmail, f.Email)
	line(phraseLabelCity, f.City)
	if f.SquareMeters > 0 {
		line(phraseLabelArea, formatNumber(r.lang, f.SquareMeters)+" m²")
	}
	line(phraseLabelPackage, f.Package)
	if f.Budget > 0 {
		line(phraseLabelBudget, formatMoney(r.lang, f.Budget))
	}
	return strings.TrimPrefix(b.String(), "\n")
}

// answer returns the text of an entry for what is known.
func (r *renderer) answer(t Topic) string {
	e := r.k.Entry(r.lang, t)
	text := e.Answer
	switch v := &e.Variants; {
	case r.facts.City != "" && slices.Contains(r.k.Company.Areas, r.facts.City) && v.CityServed != "":
		text = v.CityServed
	case r.facts.City != "" && !slices.Contains(r.k.Company.Areas, r.facts.City) && v.CityOther != "":
		text = v.CityOther
	case r.facts.SquareMeters > 0 && v.AreaKnown != "":
		text = v.AreaKnown
	}
	return r.render(text)
}
