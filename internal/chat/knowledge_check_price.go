package chat

import (
	"fmt"
	"slices"
	"strings"
)

// figure is a sum of money or a percentage that a text names.
type figure struct {
	value   float64
	percent bool
	perM2   bool
}

// String writes the amount for a finding.
func (a figure) String() string {
	switch {
	case a.percent:
		return fmt.Sprintf("%g %%", a.value)
	case a.perM2:
		return fmt.Sprintf("PLN %g per m2", a.value)
	}
	return fmt.Sprintf("PLN %g", a.value)
}

var (
	zlotyWords = words("zl zloty zlotych zlote pln")
	perWords   = words("za na per / m m2 m² metr kw")
	areaUnits  = words("m m2 m² metr metra mkw sqm square")
)

// figures finds the sums and percentages of a text.
func figures(text string) []figure { return figuresOf(tokenise(normalise(text), nil)) }

func figuresOf(toks []token) []figure {
	var out []figure
	for i := range toks {
		if toks[i].kind != kindNumber {
			continue
		}
		next := i + 1
		switch {
		case next < len(toks) && toks[next].fold == "%":
			out = append(out, figure{value: toks[i].value, percent: true})
			continue
		case next < len(toks) && toks[next].is(zlotyWords):
			next++
		case i > 0 && toks[i-1].is(zlotyWords):
		default:
			continue
		}
		out = append(out, figure{value: toks[i].value, perM2: perArea(toks[next:])})
	}
	return out
}

// perArea reports whether the tokens after an amount make it one per square
// metre: "/m²", "za m2", "per square metre".
func perArea(toks []token) bool {
	if len(toks) < 2 {
		return false
	}
	first := toks[0]
	return (first.fold == "/" || first.is(perWords)) && (toks[1].is(areaUnits) || strings.HasPrefix(toks[1].fold, "m"))
}

// prices reports amounts in answers that contradict the price list or the
// translation.
func (c *checker) prices() {
	for _, t := range Topics() {
		pl, en := c.k.Entry(Polish, t).texts(), c.k.Entry(English, t).texts()
		for lang, texts := range map[Lang]map[string]string{Polish: pl, English: en} {
			for field, text := range texts {
				c.againstList(c.fileOf(lang, t), string(t), field, text)
			}
		}
		for field, text := range pl {
			if en[field] != "" {
				c.againstTranslation(t, field, figures(text), figures(en[field]))
			}
		}
	}
}

func (c *checker) againstTranslation(t Topic, field string, pl, en []figure) {
	missing := func(list, from []figure) []figure {
		return slices.DeleteFunc(slices.Clone(list), func(a figure) bool { return slices.Contains(from, a) })
	}
	onlyPL, onlyEN := missing(pl, en), missing(en, pl)
	if len(onlyPL)+len(onlyEN) == 0 {
		return
	}
	c.find(FindingPrice, c.fileOf(English, t), string(t),
		fmt.Sprintf("%s says %s where %s says %s", field, listed(onlyEN), c.fileOf(Polish, t), listed(onlyPL)), "say the same in both languages")
}

func listed(found []figure) string {
	if len(found) == 0 {
		return "nothing"
	}
	var out []string
	for _, a := range found {
		out = append(out, a.String())
	}
	return strings.Join(out, ", ")
}

// againstList reports a price per square metre beside the name of a package that
// has another price.
func (c *checker) againstList(file, entry, field, text string) {
	index := newPackageIndex(c.k.Packages)
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		toks := tokenise(normalise(part), nil)
		found := figuresOf(toks)
		named, _, _ := index.find(toks)
		if len(named) != 1 {
			continue
		}
		p := c.k.Package(named[0])
		for _, a := range found {
			if a.percent || !a.perM2 && !c.likePerM2(a.value) || p.PricePerM2 == int(a.value) {
				continue
			}
			c.find(FindingPrice, file, entry, fmt.Sprintf("%s says PLN %g for %s, %s says %s", field, a.value, p.Name, packagesFile, c.priceOf(p)),
				"write {prices}, {cheapest} or {most_expensive} instead of the amount")
		}
	}
}

func (c *checker) priceOf(p *Package) string {
	if p.ByEstimate {
		return "it is priced by estimate"
	}
	return fmt.Sprintf("PLN %d", p.PricePerM2)
}

// likePerM2 reports whether an amount is of the size of the prices per square
// metre: others, of a kitchen say, are no price of the package.
func (c *checker) likePerM2(v float64) bool {
	most := 0
	for _, p := range c.k.Packages {
		most = max(most, p.PricePerM2)
	}
	return v >= 100 && v <= float64(2*most)
}
