package config

import "chatops/internal/ratelimit"

// Limits are the rate limits by their names: chat, api, health, consent and
// leads. An error is CodeInvalid; Load has refused what causes one.
func (c *Config) Limits() (map[string]ratelimit.Limit, error) {
	limits := map[string]ratelimit.Limit{}
	for name, text := range map[string]string{
		"chat": c.ChatRateLimit, "api": c.APIRateHour + ";" + c.APIRateMinute, "health": c.HealthRateLimit,
		"consent": c.ConsentRate, "leads": c.LeadRateLimit,
	} {
		limit, err := ratelimit.Parse(text)
		if err != nil {
			return nil, err
		}
		limits[name] = limit
	}
	return limits, nil
}

// DefaultLimits are the rate limits where nothing is set.
func DefaultLimits() map[string]ratelimit.Limit {
	var c Config
	for _, f := range Fields() {
		if f.form == "limit" {
			f.set(&c, f.Default)
		}
	}
	limits, err := c.Limits()
	if err != nil {
		panic(err) // a tag of Config holds no limit: every test would find it
	}
	return limits
}
