package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Field describes one setting, as the tags of Config say.
type Field struct {
	Env     string // name of the environment variable
	Key     string // key in the settings file
	Flag    string // command-line flag without dashes; "" when there is none
	Command string // the command that has the flag; "" for every command
	Default string // "" when there is none
	Help    string
	Form    string // what a value must look like, for people: "a whole number from 0 to 100"
	Secret  bool   // the value is never shown

	index    int // in Config
	kind     reflect.Type
	unit     time.Duration
	min, max string
	form     string
	oneof    []string
}

// Fields lists every setting in the order of Config.
func Fields() []Field {
	t := reflect.TypeFor[Config]()
	var fields []Field
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		env := tag.Get("env")
		if env == "" {
			continue
		}
		f := Field{
			Env: env, Key: strings.ToLower(env), Flag: tag.Get("flag"), Command: tag.Get("on"),
			Default: tag.Get("default"), Help: tag.Get("help"),
			index: i, kind: t.Field(i).Type, unit: units[tag.Get("unit")],
			min: tag.Get("min"), max: tag.Get("max"), form: tag.Get("form"),
		}
		if words := tag.Get("oneof"); words != "" {
			f.oneof = strings.Split(words, "|")
		}
		f.Secret = tag.Get("secret") == "true" || f.kind == typeSecret || f.kind == typeSecretPairs
		f.Form = f.expected()
		fields = append(fields, f)
	}
	return fields
}

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "d": 24 * time.Hour}

var (
	typeSecret      = reflect.TypeFor[Secret]()
	typeURL         = reflect.TypeFor[URL]()
	typePairs       = reflect.TypeFor[Pairs]()
	typeSecretPairs = reflect.TypeFor[SecretPairs]()
	typeDuration    = reflect.TypeFor[time.Duration]()
	typeList        = reflect.TypeFor[[]string]()
)

// isNumber reports whether the field holds a number, and whether fractions are
// accepted: where the name ends in MINUTES, or the field is a float.
func (f *Field) isNumber() (number, fractions bool) {
	switch {
	case f.kind == typeDuration:
		return true, strings.HasSuffix(f.Env, "MINUTES")
	case f.kind.Kind() == reflect.Float64:
		return true, true
	}
	return f.kind.Kind() == reflect.Int, false
}

// expected words the accepted form.
func (f *Field) expected() string {
	number, fractions := f.isNumber()
	switch {
	case len(f.oneof) > 0:
		return "one of " + strings.Join(f.oneof, ", ")
	case f.kind.Kind() == reflect.Bool:
		return "true or false"
	case number:
		what := "a whole number"
		if fractions {
			what = "a number"
		}
		return what + " from " + f.min + " to " + f.max + unitName(f.unit)
	case f.form != "":
		return forms[f.form].expected
	case f.kind == typePairs:
		return "name=value entries separated by commas"
	}
	return "text"
}

func unitName(unit time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Second, " (seconds)"}, {time.Minute, " (minutes)"}, {24 * time.Hour, " (days)"}} {
		if unit == u.unit {
			return u.name
		}
	}
	return ""
}

// set parses text into the field's place in c. It is false when the text does
// not have the expected form.
func (f *Field) set(c *Config, text string) bool {
	v, ok := f.parse(text)
	if ok {
		reflect.ValueOf(c).Elem().Field(f.index).Set(reflect.ValueOf(v))
	}
	return ok
}

// parse reads text as the field's type and checks the tags.
func (f *Field) parse(text string) (any, bool) {
	if strings.ContainsRune(text, 0) {
		return nil, false
	}
	if number, fractions := f.isNumber(); number {
		return f.parseNumber(text, fractions)
	}
	if f.form != "" && !forms[f.form].check(text) {
		return nil, false
	}
	switch f.kind {
	case typeSecret:
		return NewSecret(text), true
	case typeURL:
		return NewURL(text), true
	case typeList:
		return splitList(text), true
	case typePairs:
		return parsePairs(text)
	case typeSecretPairs:
		pairs, ok := parsePairs(text)
		secrets := make(SecretPairs, len(pairs))
		for i, p := range pairs {
			secrets[i] = SecretPair{p.Name, NewSecret(p.Value)}
		}
		return secrets, ok
	}
	if f.kind.Kind() == reflect.Bool {
		return parseBool(text)
	}
	if len(f.oneof) > 0 {
		for _, word := range f.oneof {
			if strings.EqualFold(text, word) {
				return word, true
			}
		}
		return nil, false
	}
	return text, true
}

// parseNumber reads a decimal number within the field's bounds.
func (f *Field) parseNumber(text string, fractions bool) (any, bool) {
	n, ok := decimal(text)
	low, _ := strconv.ParseFloat(f.min, 64)
	high, _ := strconv.ParseFloat(f.max, 64)
	if !ok || n < low || n > high || !fractions && n != float64(int(n)) {
		return nil, false
	}
	switch {
	case f.kind == typeDuration:
		return time.Duration(n * float64(f.unit)), true
	case f.kind.Kind() == reflect.Float64:
		return n, true
	}
	return int(n), true
}

// decimal reads digits with at most one point and a sign: no exponent, no hex,
// no infinity.
func decimal(text string) (float64, bool) {
	if strings.Trim(text, "0123456789.+-") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

// parseBool reads the words people write for yes and no.
func parseBool(text string) (any, bool) {
	switch strings.ToLower(text) {
	case "true", "1", "yes", "on":
		return true, true
	case "false", "0", "no", "off":
		return false, true
	}
	return nil, false
}

// splitList splits at commas, without the spaces around.
func splitList(text string) []string {
	var list []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
