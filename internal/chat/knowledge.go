package chat

import (
	"slices"
	"strconv"
	"strings"
)

// Lang is a language that the bot speaks: "pl" or "en".
type Lang string

// The languages of the bot. Polish is the one assumed when nothing tells.
const (
	Polish  Lang = "pl"
	English Lang = "en"
)

var languages = []Lang{Polish, English}

// Topic names an entry of the knowledge base.
type Topic string

// The topics that every knowledge base must cover, in both languages.
const (
	TopicPrice           Topic = "price"
	TopicCheapest        Topic = "cheapest"
	TopicMostExpensive   Topic = "most_expensive"
	TopicComparePackages Topic = "compare_packages"
	TopicWhatsIncluded   Topic = "whats_included"
	TopicEstimate        Topic = "estimate"
	TopicDuration        Topic = "duration"
	TopicStartDate       Topic = "start_date"
	TopicArea            Topic = "area"
	TopicMaterials       Topic = "materials"
	TopicWarranty        Topic = "warranty"
	TopicPayment         Topic = "payment"
	TopicProcess         Topic = "process"
	TopicRemote          Topic = "remote"
	TopicHandoverHelp    Topic = "handover_help"
	TopicFurniture       Topic = "furniture"
	TopicKitchen         Topic = "kitchen"
	TopicReferences      Topic = "references"
	TopicContact         Topic = "contact"
	TopicBooking         Topic = "booking"
	TopicPrivacy         Topic = "privacy"
	TopicGreeting        Topic = "greeting"
	TopicOffTopic        Topic = "off_topic"
)

// Topics lists every topic. Where a message fits two equally well, the earlier
// one is answered.
func Topics() []Topic {
	return []Topic{
		TopicEstimate, TopicCheapest, TopicMostExpensive, TopicComparePackages, TopicPrivacy, TopicBooking, TopicKitchen,
		TopicFurniture, TopicMaterials, TopicWhatsIncluded, TopicStartDate, TopicDuration, TopicArea, TopicRemote,
		TopicHandoverHelp, TopicWarranty, TopicPayment, TopicProcess, TopicReferences, TopicContact, TopicPrice,
		TopicOffTopic, TopicGreeting,
	}
}

// Knowledge is what the bot knows about the company: who it is, what it sells
// and what it answers. It does not change after it was loaded.
type Knowledge struct {
	Company  Company
	Packages []Package // in order of price; those by estimate last
	entries  map[Lang]map[Topic]*Entry
	files    map[Lang]map[Topic]string // that the entries were read from
	phrases  map[Lang]map[string]string
	// statements are messages that ask nothing, so that none is taken for a question.
	statements map[Lang][]string
	followups  map[Lang]followups
	words      *lexicon

	extractor *Extractor
	indexFunc func() *Index
}

// Company is who the bot speaks for.
type Company struct {
	Name       string   `toml:"name"`
	Phone      string   `toml:"phone"`
	Email      string   `toml:"email"`
	Address    string   `toml:"address"`
	BookingURL string   `toml:"booking_url"`
	PrivacyURL string   `toml:"privacy_url"`
	Areas      []string `toml:"areas"` // the cities served without further agreement
}

// Package is a finishing package of the price list.
type Package struct {
	Name string `toml:"name"`
	// PricePerM2 is in whole PLN, gross; 0 together with ByEstimate.
	PricePerM2 int  `toml:"price_per_m2"`
	ByEstimate bool `toml:"by_estimate"`
	// Aliases are other ways to name it; "*" ends a beginning of words.
	Aliases []string    `toml:"aliases"`
	PL      PackageText `toml:"pl"`
	EN      PackageText `toml:"en"`
}

// PackageText describes a package in one language.
type PackageText struct {
	Summary  string   `toml:"summary"`
	IdealFor string   `toml:"ideal_for"` // whom it suits; may be missing
	Includes []string `toml:"includes"`
}

func (p *Package) text(l Lang) *PackageText {
	if l == English {
		return &p.EN
	}
	return &p.PL
}

// Entry answers one topic in one language.
type Entry struct {
	Topic Topic  `toml:"topic"`
	Title string `toml:"title"`
	// Keywords are phrases that speak of the topic; see phrase for the grammar.
	Keywords []string `toml:"keywords"`
	// Examples are questions about the topic as people type them. Retrieval
	// learns from them; an entry without any learns from the embedded ones.
	Examples []string `toml:"examples"`
	// Answer is the text, with {placeholders} of render.go.
	Answer string `toml:"answer"`
	// The answers for what the visitor has told already.
	Variants Variants `toml:"variants"`
}

// Variants replace an entry's answer in a certain situation.
type Variants struct {
	CityServed string `toml:"city_served"` // the city is among Company.Areas
	CityOther  string `toml:"city_other"`
	AreaKnown  string `toml:"area_known"` // the square metres are known
}

// Extractor returns the reader of facts that knows the packages.
func (k *Knowledge) Extractor() *Extractor { return k.extractor }

// Index returns the index of the entries. The first call builds it, which takes
// a few hundred times as long as an answer: most commands never need it, and a
// service is up before its first visitor.
func (k *Knowledge) Index() *Index { return k.indexFunc() }

// Entry returns the entry of a topic.
func (k *Knowledge) Entry(l Lang, t Topic) *Entry { return k.entries[l][t] }

// Package returns the package of that name, or nil.
func (k *Knowledge) Package(name string) *Package {
	i := slices.IndexFunc(k.Packages, func(p Package) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &k.Packages[i]
}

// examples returns the questions that retrieval learns a topic from.
func (k *Knowledge) examples(l Lang, t Topic) []string {
	if list := k.Entry(l, t).Examples; len(list) > 0 {
		return list
	}
	return builtIn().Entry(l, t).Examples
}

// phrase returns a line of the dialogue.
func (k *Knowledge) phrase(l Lang, key string) string { return k.phrases[l][key] }

// priced returns the packages with a price, the cheapest first.
func (k *Knowledge) priced() []Package {
	return slices.DeleteFunc(slices.Clone(k.Packages), func(p Package) bool { return p.ByEstimate })
}

// formatNumber groups thousands as the language does.
func formatNumber(l Lang, n int) string {
	s := strconv.Itoa(n)
	sep := " "
	if l == English {
		sep = ","
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 && len(s) > 3 {
			b.WriteString(sep)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// formatMoney writes an amount in PLN.
func formatMoney(l Lang, n int) string {
	if l == English {
		return "PLN " + formatNumber(l, n)
	}
	return formatNumber(l, n) + " zł"
}
