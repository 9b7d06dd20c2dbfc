package chat

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

func (l *loader) company(c *Company) {
	l.need(companyFile, "name", c.Name)
	l.need(companyFile, "phone", c.Phone)
	l.need(companyFile, "email", c.Email)
	l.need(companyFile, "address", c.Address)
	l.need(companyFile, "booking_url", c.BookingURL)
	l.need(companyFile, "privacy_url", c.PrivacyURL)
	if len(c.Areas) == 0 {
		l.failf(companyFile, "areas", "must name at least one city")
	}
}

func (l *loader) packages() []Package {
	var file struct {
		Package []Package `toml:"package"`
	}
	if !l.decode(packagesFile, &file) {
		return nil
	}
	if len(file.Package) == 0 {
		l.failf(packagesFile, "package", "must hold at least one package")
	}
	seen := map[string]string{}
	for i := range file.Package {
		p := &file.Package[i]
		field := fmt.Sprintf("package[%d]", i)
		l.need(packagesFile, field+".name", p.Name)
		switch {
		case p.ByEstimate && p.PricePerM2 != 0:
			l.failf(packagesFile, field+".price_per_m2", "must be left out for a package by estimate, is %d", p.PricePerM2)
		case !p.ByEstimate && (p.PricePerM2 <= 0 || p.PricePerM2 > maxPrice):
			l.failf(packagesFile, field+".price_per_m2", "must be 1 to %d PLN, is %d", maxPrice, p.PricePerM2)
		}
		for _, a := range append([]string{p.Name}, p.Aliases...) {
			if fold(strings.TrimSpace(a)) == "" {
				l.failf(packagesFile, field+".aliases", "must not hold an empty alias")
			} else if other, dup := seen[fold(a)]; dup {
				l.failf(packagesFile, field+".aliases", "%q already names %s", a, other)
			}
			seen[fold(a)] = p.Name
		}
		for _, lang := range languages {
			t := p.text(lang)
			l.need(packagesFile, fmt.Sprintf("%s.%s.summary", field, lang), t.Summary)
			if len(t.Includes) == 0 {
				l.failf(packagesFile, fmt.Sprintf("%s.%s.includes", field, lang), "must not be empty")
			}
		}
	}
	if !slices.ContainsFunc(file.Package, func(p Package) bool { return !p.ByEstimate }) && len(file.Package) > 0 {
		l.failf(packagesFile, "package", "at least one needs a price_per_m2")
	}
	slices.SortStableFunc(file.Package, func(a, b Package) int {
		if a.ByEstimate != b.ByEstimate {
			return cmp.Compare(boolInt(a.ByEstimate), boolInt(b.ByEstimate))
		}
		return cmp.Compare(a.PricePerM2, b.PricePerM2)
	})
	return file.Package
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
