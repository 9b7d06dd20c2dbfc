package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// settingsFile is a parsed settings file: the texts of its keys, for the top
// level under "" and for each profile under its name.
type settingsFile struct {
	path     string
	values   map[string]map[string]string
	profiles map[string]Profile
}

// profileKeys are the keys that only a profile has.
var profileKeys = []string{"label", "colour", "protected", "read_only"}

var colours = []string{"red", "yellow", "green", "blue", "magenta", "cyan"}

// parseFile reads the TOML text of a settings file. It reports every unknown
// key, and every value of a type that no setting has.
func parseFile(path, text string) (*settingsFile, []Problem) {
	f := &settingsFile{path: path, values: map[string]map[string]string{"": {}}, profiles: map[string]Profile{}}
	var top map[string]any
	if _, err := toml.Decode(text, &top); err != nil {
		return f, []Problem{syntaxProblem(path, err)}
	}
	var problems []Problem
	for _, key := range slices.Sorted(maps.Keys(top)) {
		if key != "profiles" {
			problems = append(problems, f.add("", key, top[key])...)
			continue
		}
		tables, ok := top[key].(map[string]any)
		if !ok {
			problems = append(problems, Problem{"profiles", "", path, "must be tables such as [profiles.production]"})
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			problems = append(problems, f.addProfile(name, tables[name])...)
		}
	}
	return f, problems
}

// syntaxProblem says where a file stops being TOML. The parser's own text may
// quote what stands there, which may be a secret, so only the place is told.
func syntaxProblem(path string, err error) Problem {
	p := Problem{Key: path, Expected: "is not valid TOML"}
	if pe, ok := errors.AsType[toml.ParseError](err); ok {
		p.Expected = fmt.Sprintf("line %d is not valid TOML", pe.Position.Line)
		if pe.LastKey != "" {
			p.Expected += " (after the key " + pe.LastKey + ")"
		}
		p.Expected += "; text needs double quotes"
	}
	return p
}

// addProfile takes one [profiles.NAME] table in.
func (f *settingsFile) addProfile(name string, value any) []Problem {
	table, ok := value.(map[string]any)
	if !ok || !isName(name) {
		return []Problem{{"profiles." + name, "", f.path, "must be a table whose name has letters, digits, _ and - only"}}
	}
	f.values[name] = map[string]string{}
	profile := Profile{Name: name}
	var problems []Problem
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if !slices.Contains(profileKeys, key) {
			problems = append(problems, f.add(name, key, table[key])...)
			continue
		}
		if expected := setProfile(&profile, key, table[key]); expected != "" {
			problems = append(problems, Problem{f.keyName(name, key), fmt.Sprint(table[key]), f.path, expected})
		}
	}
	f.profiles[name] = profile
	return problems
}

// setProfile takes one of the profile's own keys; it returns the expected form when
// the value does not have it.
func setProfile(p *Profile, key string, value any) string {
	text, isText := value.(string)
	yes, isBool := value.(bool)
	switch {
	case key == "label" && isText:
		p.Label = text
	case key == "label":
		return "must be text"
	case key == "colour" && isText && slices.Contains(colours, text):
		p.Colour = text
	case key == "colour":
		return "must be one of " + strings.Join(colours, ", ")
	case !isBool:
		return "must be true or false"
	case key == "protected":
		p.Protected = yes
	case key == "read_only":
		p.ReadOnly = yes
	}
	return ""
}

// add takes one setting in.
func (f *settingsFile) add(profile, key string, value any) []Problem {
	known := []string{}
	for _, field := range Fields() {
		known = append(known, field.Key)
	}
	if profile != "" {
		known = append(known, profileKeys...)
	}
	if !slices.Contains(known, key) {
		expected := "unknown key"
		if near, ok := Nearest(key, known); ok {
			expected += "; did you mean " + near + "?"
		}
		return []Problem{{f.keyName(profile, key), "", f.path, expected}}
	}
	text, ok := fileText(value)
	if !ok {
		return []Problem{{f.keyName(profile, key), "", f.path, "must be text, a number, true, false, a list of texts or a table of texts"}}
	}
	f.values[profile][key] = text
	return nil
}

func (f *settingsFile) keyName(profile, key string) string {
	if profile == "" {
		return key
	}
	return "profiles." + profile + "." + key
}

// fileText turns a TOML value into the text that a variable would hold. List
// items and table entries may hold no comma, which separates them there.
func fileText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case int64, float64, bool:
		return fmt.Sprint(v), true
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			text, ok := item.(string)
			if !ok || strings.Contains(text, ",") {
				return "", false
			}
			items[i] = text
		}
		return strings.Join(items, ","), true
	case map[string]any:
		var items []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			text, ok := v[name].(string)
			if !ok || strings.Contains(text, ",") {
				return "", false
			}
			items = append(items, name+"="+text)
		}
		return strings.Join(items, ","), true
	}
	return "", false
}

// readFile loads the settings file of the sources. A missing file is a problem
// only when the user named it.
func readFile(s *Sources) (*settingsFile, []Problem) {
	path, named := s.filePath()
	empty := &settingsFile{values: map[string]map[string]string{"": {}}, profiles: map[string]Profile{}}
	if path == "" {
		return empty, nil
	}
	text, err := s.ReadFileFunc(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return empty, nil
	}
	if err != nil {
		return empty, []Problem{{path, "", "settings file", "cannot be read: " + cause(err)}}
	}
	return parseFile(path, string(text))
}

// cause is the plain reason of a file error, without the path.
func cause(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
