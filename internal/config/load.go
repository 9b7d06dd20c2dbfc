package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Sources is where settings come from. The functions default to the process's
// own environment and file system.
type Sources struct {
	Flags         map[string]string // value of each flag that was given, by the flag's name
	ConfigPath    string            // --config; "" looks in the usual place
	Profile       string            // --profile; "" takes CHATOPS_PROFILE
	LookupEnvFunc func(name string) (string, bool)
	ReadFileFunc  func(path string) ([]byte, error)
}

// Setting is one resolved setting, ready to be shown.
type Setting struct {
	Field
	Shown  string // the value, redacted where it is secret; "" when empty
	Origin Origin
	Detail string // the flag, variable or file that gave it
}

// Loaded is the outcome of Load.
type Loaded struct {
	Config   *Config
	Settings []Setting // in the order of Config
	Path     string    // the settings file that was read; "" when there was none
	Warnings []string  // things that are allowed and may surprise
	secrets  []string
}

// Load resolves every setting: flag, then variable, then NAME_FILE, then the
// profile, then the file, then the default. A variable that is empty counts as
// not given. All problems come in one error of CodeInvalid holding a
// *ProblemError; the Loaded result is complete but for the bad settings then.
func Load(s Sources) (*Loaded, error) {
	s.fill()
	file, problems := readFile(&s)
	profile, chosenProblems := s.profile(file)
	problems = append(problems, chosenProblems...)
	l := &Loaded{Config: &Config{Profile: profile}, Path: file.path}
	for _, f := range Fields() {
		offers, offerProblems := s.offers(&f, file, profile.Name)
		problems = append(problems, offerProblems...)
		problems = append(problems, l.resolve(f, offers)...)
	}
	for _, p := range l.Config.checkTogether() {
		if !slices.ContainsFunc(problems, func(other Problem) bool { return other.Key == p.Key }) {
			problems = append(problems, p)
		}
	}
	return l, asError(problems)
}

func (s *Sources) fill() {
	if s.LookupEnvFunc == nil {
		s.LookupEnvFunc = os.LookupEnv
	}
	if s.ReadFileFunc == nil {
		s.ReadFileFunc = os.ReadFile
	}
}

// env returns a variable; empty counts as unset.
func (s *Sources) env(name string) string {
	value, _ := s.LookupEnvFunc(name)
	return value
}

// filePath is the settings file, and whether the user named it.
func (s *Sources) filePath() (path string, named bool) {
	if s.ConfigPath != "" {
		return s.ConfigPath, true
	}
	if dir := s.env("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "chatops", "config.toml"), false
	}
	if home := s.env("HOME"); home != "" {
		return filepath.Join(home, ".config", "chatops", "config.toml"), false
	}
	return "", false
}

// profile is the chosen profile; the zero Profile when none was.
func (s *Sources) profile(file *settingsFile) (Profile, []Problem) {
	name, origin := s.Profile, "--profile"
	if name == "" {
		name, origin = s.env("CHATOPS_PROFILE"), "CHATOPS_PROFILE"
	}
	if name == "" {
		return Profile{}, nil
	}
	if p, ok := file.profiles[name]; ok {
		return p, nil
	}
	known := slices.Sorted(maps.Keys(file.profiles))
	expected := "no such profile; the settings file has none"
	if len(known) > 0 {
		expected = "no such profile; the settings file has " + strings.Join(known, ", ")
	}
	return Profile{Name: name}, []Problem{{"profile", name, origin, expected}}
}

// offers collects what each origin has for a field.
func (s *Sources) offers(f *Field, file *settingsFile, profile string) (map[Origin]candidate, []Problem) {
	offers := map[Origin]candidate{}
	if text, ok := s.Flags[f.Flag]; ok && f.Flag != "" {
		offers[OriginFlag] = candidate{text, true, "--" + f.Flag}
	}
	var problems []Problem
	text, path := s.env(f.Env), s.env(f.Env+"_FILE")
	if text != "" {
		offers[OriginEnv] = candidate{text, true, f.Env}
	}
	switch {
	case text != "" && path != "":
		problems = append(problems, Problem{f.Env, "", "environment", "is set together with " + f.Env + "_FILE; unset one of them"})
	case path != "":
		content, expected := s.secretFile(path)
		if expected != "" {
			problems = append(problems, Problem{f.Env + "_FILE", path, "environment", expected})
		} else {
			offers[OriginEnvFile] = candidate{content, true, f.Env + "_FILE"}
		}
	}
	if text, ok := file.values[profile][f.Key]; ok && profile != "" {
		offers[OriginProfile] = candidate{text, true, fmt.Sprintf("%s [profiles.%s]", file.path, profile)}
	}
	if text, ok := file.values[""][f.Key]; ok {
		offers[OriginFile] = candidate{text, true, file.path}
	}
	if f.Default != "" {
		offers[OriginDefault] = candidate{f.Default, true, ""}
	}
	return offers, problems
}

// maxSecretFile bounds a file that NAME_FILE points at.
const maxSecretFile = 64 << 10

// secretFile reads the file of a NAME_FILE variable, without the line end that
// editors add. It returns what was expected when the file will not do.
func (s *Sources) secretFile(path string) (content, expected string) {
	raw, err := s.ReadFileFunc(path)
	content = strings.TrimRight(string(raw), "\r\n")
	switch {
	case err != nil:
		return "", "cannot be read: " + cause(err)
	case len(raw) > maxSecretFile:
		return "", "is larger than 64 KiB"
	case content == "":
		return "", "is empty"
	}
	return content, ""
}

// resolve chooses a field's value and stores it.
func (l *Loaded) resolve(f Field, offers map[Origin]candidate) []Problem {
	chosen, origin := choose(offers)
	setting := Setting{Field: f, Origin: origin, Detail: chosen.detail}
	defer func() { l.Settings = append(l.Settings, setting) }()
	if chosen.text == "" && f.Default == "" {
		return nil
	}
	setting.Shown = f.show(chosen.text)
	l.secrets = append(l.secrets, f.secretsOf(chosen.text)...)
	if p := offers[OriginProfile]; p.given && p.text != chosen.text && origin != OriginFlag {
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s overrides %s of profile %s", chosen.detail, f.Key, l.Config.Profile.Name))
	}
	if f.set(l.Config, chosen.text) {
		return nil
	}
	return []Problem{{f.Env, setting.Shown, problemOrigin(origin, chosen.detail), "must be " + f.Form}}
}

// problemOrigin names the place of a bad value for people.
func problemOrigin(o Origin, detail string) string {
	if o == OriginEnv {
		return "environment"
	}
	return detail
}

// show is the text as it may be seen.
func (f *Field) show(text string) string {
	if f.kind == typeSecretPairs {
		if v, ok := f.parse(text); ok {
			return fmt.Sprint(v)
		}
	}
	switch {
	case f.Secret:
		return redacted
	case f.kind == typeURL || f.form == "http":
		return redactURL(text)
	}
	return text
}

// secretsOf returns the pieces of a value that must never be shown.
func (f *Field) secretsOf(text string) []string {
	switch {
	case f.kind == typeSecretPairs:
		var secrets []string
		pairs, ok := parsePairs(text)
		for _, p := range pairs {
			secrets = append(secrets, p.Value)
		}
		if !ok {
			secrets = append(secrets, text)
		}
		return secrets
	case f.Secret:
		return []string{text}
	case f.kind == typeURL:
		return urlSecrets(text)
	}
	return nil
}

// checkTogether finds settings that are sound alone and not together.
func (c *Config) checkTogether() []Problem {
	var problems []Problem
	for _, s := range c.WebhookSecrets {
		if c.Webhooks.Get(s.Name).IsZero() {
			problems = append(problems, Problem{"WEBHOOK_SECRETS", s.Name, "", "no webhook of this name in WEBHOOKS"})
		}
	}
	if !c.MondayAPIKey.IsZero() && c.MondayBoardID == "" {
		problems = append(problems, Problem{"MONDAY_BOARD_ID", "", "", "is needed because MONDAY_API_KEY is set"})
	}
	if isLimit(c.APIRateHour) && isLimit(c.APIRateMinute) && !isLimit(c.APIRateHour+";"+c.APIRateMinute) {
		problems = append(problems, Problem{"API_RATE_LIMIT_MINUTE", c.APIRateMinute, "", "has too many rules together with API_RATE_LIMIT_HOUR"})
	}
	return problems
}

// minScrub is the shortest secret that Scrub looks for: shorter ones occur in
// ordinary words.
const minScrub = 4

// Scrub replaces every configured secret that occurs in a text. It is the last
// line of defence for texts that others have made, such as driver errors.
func (l *Loaded) Scrub(text string) string {
	if l == nil {
		return text
	}
	secrets := slices.Clone(l.secrets)
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range secrets {
		if len(secret) >= minScrub {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	return text
}
