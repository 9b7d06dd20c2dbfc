package config

// Origin is where a setting's value came from.
type Origin string

// The origins, strongest first. OriginNone means that the setting is empty.
const (
	OriginFlag    Origin = "flag"
	OriginEnv     Origin = "env"
	OriginEnvFile Origin = "env file" // a file that NAME_FILE points at
	OriginProfile Origin = "profile"
	OriginFile    Origin = "file"
	OriginDefault Origin = "default"
	OriginNone    Origin = "unset"
)

// Origins lists the origins that can hold a value, strongest first.
func Origins() []Origin {
	return []Origin{OriginFlag, OriginEnv, OriginEnvFile, OriginProfile, OriginFile, OriginDefault}
}

// candidate is a value that one origin offers for a setting.
type candidate struct {
	text   string
	given  bool
	detail string // names the place: "--port", "PORT", "config.toml [profiles.prod]"
}

// choose is the precedence of the origins, the only place that knows it: the
// strongest origin that offers a value wins.
func choose(offers map[Origin]candidate) (candidate, Origin) {
	for _, o := range Origins() {
		if c := offers[o]; c.given {
			return c, o
		}
	}
	return candidate{}, OriginNone
}
