package config

import (
	"net"
	"net/netip"
	"strconv"
	"time"

	"chatops/internal/chatops"
)

// Config is every setting of the program. A field is one line; its tags are
//
//	env      name of the variable; the file's key is the same in lower case
//	default  used when nothing else is given
//	flag     name of the command-line flag, where there is one
//	on       the command that has the flag; none: every command
//	unit     what a number given for a time.Duration counts: s, m or d
//	min,max  inclusive bounds of a number, in that unit
//	form     a named form from forms.go that text must have
//	oneof    the accepted words, separated by |
//	secret   "true" when the value is never shown (types may redact as well)
//	help     one sentence for people
type Config struct {
	// Profile is the environment the settings belong to; it is set by Load.
	Profile Profile

	DatabaseURL     URL           `env:"DATABASE_URL" flag:"database-url" default:"sqlite://instance/chatbot.db" form:"database" help:"Where everything is stored: SQLite (embedded) or PostgreSQL."`
	RedisURL        URL           `env:"REDIS_URL" flag:"redis-url" form:"redis" help:"Redis shared by all replicas; without it each replica keeps its own limits and cache."`
	Port            int           `env:"PORT" flag:"port" on:"serve" default:"8080" min:"0" max:"65535" help:"TCP port of the HTTP server; 0 picks a free one."`
	Listen          string        `env:"LISTEN" flag:"listen" on:"serve" form:"listen" help:"Address to listen on, with or without a port; all addresses when empty."`
	PublicURL       string        `env:"PUBLIC_URL" form:"http" help:"Address under which visitors reach this service, for links in mail."`
	CORSOrigins     []string      `env:"CORS_ALLOWED_ORIGINS" form:"origins" help:"Web origins that may call the API from a browser; none when empty."`
	AdminAPIKey     Secret        `env:"ADMIN_API_KEY" help:"Bearer key of the admin API, which is closed while this is empty."`
	ChatRateLimit   string        `env:"CHAT_RATE_LIMIT" default:"30 per minute" form:"limit" help:"Chat messages that one client may send."`
	APIRateHour     string        `env:"API_RATE_LIMIT_HOUR" default:"200 per hour" form:"limit" help:"Requests that one client may make to each other endpoint of the API; holds together with API_RATE_LIMIT_MINUTE."`
	APIRateMinute   string        `env:"API_RATE_LIMIT_MINUTE" default:"50 per minute" form:"limit" help:"The same in a shorter time."`
	HealthRateLimit string        `env:"HEALTH_RATE_LIMIT" default:"30 per minute" form:"limit" help:"Requests that one client may make to /api/health; /livez and /readyz have no limit."`
	ConsentRate     string        `env:"CONSENT_RATE_LIMIT" default:"10 per minute" form:"limit" help:"Withdrawals of consent by one client, and for one e-mail address."`
	LeadRateLimit   string        `env:"LEAD_RATE_LIMIT" default:"5 per minute" form:"limit" help:"Leads that one client may create."`
	RateLimits      bool          `env:"RATE_LIMIT_ENABLED" default:"true" help:"Whether clients are held to these limits."`
	RateLimitKeys   int           `env:"RATE_LIMIT_KEYS" default:"100000" min:"1000" max:"10000000" help:"Clients and endpoints that each replica remembers at most; one more forgets the one seen longest ago."`
	TrustedProxies  []string      `env:"TRUSTED_PROXIES" form:"networks" help:"Proxies whose X-Forwarded-For is believed; the header is ignored when empty."`
	Environment     string        `env:"ENVIRONMENT" help:"Name of this environment, as /api/status shows it; else that of the profile."`
	MigrationSecret Secret        `env:"MIGRATION_SECRET" help:"Secret of the HTTP endpoint that migrates the database, which is off while this is empty."`
	LogLevel        string        `env:"LOG_LEVEL" flag:"log-level" on:"serve" default:"info" oneof:"debug|info|warn|error" help:"Least level that is logged."`
	LogFormat       string        `env:"LOG_FORMAT" flag:"log-format" on:"serve" default:"text" oneof:"text|json" help:"Form of the log on standard error."`
	KnowledgeDir    string        `env:"KNOWLEDGE_DIR" help:"Folder of knowledge base files that replaces the embedded one."`
	ConsentMode     string        `env:"CONSENT_MODE" default:"explicit" oneof:"explicit|implied" help:"Consent of a new conversation: false until given (explicit) or true until withdrawn (implied)."`
	ConsentKeys     Secret        `env:"CONSENT_KEYS" form:"consentkeys" help:"Secrets that sign the links in mails and make the digests of erased addresses, newest first, such as k2:...,k1:... with at least 32 random bytes in base64 each; one is made and kept in the database when empty. A key that is taken away makes its links invalid, and what it erased unrecognisable."`
	RetentionMonths string        `env:"RETENTION_MONTHS" form:"retention" help:"How many months personal data is kept after the last that happened: one number for conversations and leads, or entries such as conversations=24,leads=36,audit=72,access=24; what is not named is kept until somebody erases it."`
	FollowupTimes   string        `env:"FOLLOWUP_SCHEDULE" default:"24h 72h 168h" form:"delays" help:"How long after a visitor's last message each follow-up mail is due; off: none are sent."`
	Scheduler       bool          `env:"SCHEDULER_ENABLED" default:"true" help:"Whether this replica runs the jobs of the fleet (retries of alerts, clean-up and the like); at least one must."`
	DLQRetries      int           `env:"DLQ_MAX_RETRIES" default:"5" min:"0" max:"100" help:"Retries of an alert after its first attempt."`
	DLQDelay        time.Duration `env:"DLQ_RETRY_DELAY_MINUTES" default:"5" unit:"m" min:"0.001" max:"1440" help:"Base of the delay between retries, which doubles each time."`
	DLQSweep        time.Duration `env:"DLQ_RETRY_MINUTES" default:"5" unit:"m" min:"0.001" max:"1440" help:"How often the queue is swept for alerts that no wake-up announced."`
	DLQCleanup      time.Duration `env:"DLQ_CLEANUP_DAYS" default:"30" unit:"d" min:"1" max:"3650" help:"Age at which delivered, discarded and cancelled alerts are deleted."`
	DLQEdit         bool          `env:"DLQ_EDIT" default:"false" help:"Whether dlq edit may change the payload of a failed alert."`
	DLQLease        time.Duration `env:"DLQ_LEASE_SECONDS" default:"30" unit:"s" min:"1" max:"3600" help:"How long alerts in flight belong to a replica without a sign of life; then another one takes over."`
	DLQWaiting      int           `env:"DLQ_ALERT_WAITING" default:"100" min:"0" max:"100000000" help:"More alerts than these waiting are too many: ESCALATION_EMAIL is told, and doctor says so; 0: never."`
	DLQAge          time.Duration `env:"DLQ_ALERT_AGE_MINUTES" default:"15" unit:"m" min:"0" max:"100000" help:"An alert that waits for so long is told in the same way; 0: never."`
	DLQGrowth       int           `env:"DLQ_ALERT_GROWTH" default:"20" min:"0" max:"1000000" help:"So many alerts a minute, over five minutes, that begin to wait and go on waiting are told in the same way; 0: never."`
	CacheCleanup    time.Duration `env:"CACHE_CLEANUP_MINUTES" default:"10" unit:"m" min:"0.001" max:"1440" help:"How often what has expired is removed from this replica's memory."`
	CBFailMax       int           `env:"CB_FAIL_MAX" default:"5" min:"1" max:"1000" help:"Consecutive failures of an integration that open its circuit breaker."`
	CBReset         time.Duration `env:"CB_RESET_TIMEOUT" default:"60" unit:"s" min:"1" max:"86400" help:"How long a circuit breaker stays open before one probe, at first."`
	CBMaxOpen       time.Duration `env:"CB_MAX_OPEN_SECONDS" default:"600" unit:"s" min:"1" max:"86400" help:"Longest time a circuit breaker stays open: it doubles while the integration flaps."`
	CBSlow          time.Duration `env:"CB_SLOW_SECONDS" default:"10" unit:"s" min:"0" max:"3600" help:"A delivery or answer that takes so long counts as a failure of the integration; 0: never."`

	LLMURL     URL           `env:"OPENAI_BASE_URL" form:"http" help:"Address of an OpenAI-compatible API, such as https://llm.example/v1, that words the bot's answers; that of OpenAI when only OPENAI_API_KEY is set, none when neither is."`
	LLMKey     Secret        `env:"OPENAI_API_KEY" help:"API key for the language model."`
	LLMModel   string        `env:"GPT_MODEL" default:"gpt-4o-mini" help:"Name of the language model."`
	LLMTimeout time.Duration `env:"OPENAI_TIMEOUT_SECONDS" default:"12" unit:"s" min:"1" max:"25" help:"How long the language model may take for an answer before the knowledge base gives its own."`
	LLMIdle    time.Duration `env:"OPENAI_IDLE_TIMEOUT_SECONDS" default:"5" unit:"s" min:"1" max:"25" help:"How long the language model may be silent within an answer."`

	SlackWebhookURL Secret      `env:"SLACK_WEBHOOK_URL" form:"http" help:"Slack incoming webhook for lead alerts."`
	SlackRate       float64     `env:"SLACK_RATE" default:"1" min:"0.01" max:"100" help:"Slack messages per second."`
	SlackLeadScore  int         `env:"SLACK_LEAD_SCORE" default:"70" min:"0" max:"100" help:"Least lead score that is announced on Slack."`
	MondayAPIKey    Secret      `env:"MONDAY_API_KEY" help:"API token for Monday.com."`
	MondayBoardID   string      `env:"MONDAY_BOARD_ID" form:"digits" help:"Board on which leads become items."`
	MondayAPIURL    URL         `env:"MONDAY_API_URL" default:"https://api.monday.com/v2" form:"http" help:"Address of Monday's GraphQL API."`
	MondayColumns   Pairs       `env:"MONDAY_COLUMNS" help:"Column for each lead field, such as email=email_mkq,phone=phone_1."`
	MondayExternal  string      `env:"MONDAY_EXTERNAL_ID_COLUMN" help:"Text column that keeps the alert's key, so that a repeated create finds the first item."`
	SMTPURL         URL         `env:"SMTP_URL" form:"smtp" help:"Mail server: smtp://user:password@host:587?tls=starttls|implicit|none."`
	MailFrom        string      `env:"MAIL_FROM" form:"mailbox" help:"Sender of all mail, with or without a display name; else the user of SMTP_URL where that is an address, else chatops@ this host."`
	EscalationEmail string      `env:"ESCALATION_EMAIL" form:"email" help:"Who is told when alerts could not be delivered."`
	AdminEmail      string      `env:"ADMIN_EMAIL" form:"email" help:"Who gets a mail for each lead."`
	Webhooks        SecretPairs `env:"WEBHOOKS" form:"webhooks" help:"Generic webhooks for each lead, such as crm=https://crm.example/hook."`
	WebhookSecrets  SecretPairs `env:"WEBHOOK_SECRETS" form:"webhooksecrets" help:"Signing secret of each webhook, such as crm=whsec_...."`
}

// Profile is a named environment of the settings file.
type Profile struct {
	Name      string // "" when no profile was chosen
	Label     string // what people call it; Name when the file does not say
	Colour    string // of the label on a terminal: red, yellow, green, blue, magenta, cyan or ""
	Protected bool   // changes must be confirmed by typing the profile's name
	ReadOnly  bool   // changes are refused
}

// Title is how the profile is shown: its label, or "default" without a profile.
func (p Profile) Title() string {
	switch {
	case p.Label != "":
		return p.Label
	case p.Name != "":
		return p.Name
	}
	return "default"
}

// ListenAddress is the host:port to listen on, from LISTEN and PORT. A port in
// LISTEN wins.
func (c *Config) ListenAddress() string {
	if _, _, err := net.SplitHostPort(c.Listen); err == nil {
		return c.Listen
	}
	host := c.Listen
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	return net.JoinHostPort(host, strconv.Itoa(c.Port))
}

// QueueLimits say when the queue needs somebody.
func (c *Config) QueueLimits() chatops.QueueLimits {
	return chatops.QueueLimits{Waiting: int64(c.DLQWaiting), Age: c.DLQAge, Growth: float64(c.DLQGrowth)}
}

// TrustedNetworks is TRUSTED_PROXIES as networks; a lone address is a network
// of one.
func (c *Config) TrustedNetworks() []netip.Prefix {
	networks := make([]netip.Prefix, 0, len(c.TrustedProxies))
	for _, text := range c.TrustedProxies {
		if p, ok := parseNetwork(text); ok { // Load has refused the others
			networks = append(networks, p)
		}
	}
	return networks
}
