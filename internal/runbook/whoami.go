package runbook

import (
	"fmt"

	"github.com/spf13/cobra"

	"chatops/internal/config"
)

// newWhoami makes `whoami`.
func newWhoami(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "whoami", Short: "Show who you are to the record, and which environment you would change", Args: noArgs,
		Long: "Show as whom a change would be put on record, and which environment, database and\n" +
			"Redis the commands work on. It opens neither of them, and shows no secret.",
		Example: "  chatops whoami\n  chatops whoami --profile prod -o json",
		RunE: func(*cobra.Command, []string) error {
			cfg, err := env.settings()
			if err != nil {
				return err
			}
			return env.render(newIdentity(env, cfg))
		},
	}
}

// identity is the result of `whoami`.
type identity struct {
	Actor       string  `json:"actor"`
	Host        string  `json:"host"`
	Profile     *string `json:"profile"` // null without one
	Environment string  `json:"environment"`
	Changes     string  `json:"changes"` // asked, protected or refused
	Protected   bool    `json:"protected"`
	ReadOnly    bool    `json:"read_only"`
	Engine      string  `json:"database_engine"`
	Database    string  `json:"database_host"`
	Redis       *string `json:"redis_host"` // null without one
	Version     string  `json:"version"`
	colour      string
}

func newIdentity(env *Env, cfg *config.Config) *identity {
	id := &identity{
		Actor: env.Actor, Host: env.Host, Environment: cfg.Profile.Title(), Changes: "asked",
		Protected: cfg.Profile.Protected, ReadOnly: cfg.Profile.ReadOnly,
		Engine: "postgresql", Database: cfg.DatabaseURL.Host(), Version: Version(), colour: cfg.Profile.Colour,
	}
	if cfg.DatabaseURL.Scheme() == "sqlite" {
		id.Engine = "sqlite"
	}
	if cfg.Profile.Name != "" {
		id.Profile = &cfg.Profile.Name
	}
	if !cfg.RedisURL.IsZero() {
		host := cfg.RedisURL.Host()
		id.Redis = &host
	}
	switch {
	case id.ReadOnly:
		id.Changes = "refused"
	case id.Protected:
		id.Changes = "protected"
	}
	return id
}

func (id *identity) sections(bool) []section {
	profile, redis := "none", "none"
	if id.Profile != nil {
		profile = *id.Profile
	}
	if id.Redis != nil {
		redis = *id.Redis
	}
	changes := map[string]string{
		"asked": "are confirmed with y", "protected": "are confirmed by typing " + profile, "refused": "are refused: the profile is read-only",
	}[id.Changes]
	s := fields("actor", id.Actor, "host", id.Host, "profile", profile, "environment", id.Environment, "changes", changes,
		"database", fmt.Sprintf("%s (%s)", id.Database, id.Engine), "redis", redis, "version", id.Version)
	s.columns[1].colorFunc = func(cell string) string {
		if cell == id.Environment {
			return id.colour
		}
		return ""
	}
	return []section{s}
}
