package doctor

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

// Store is what the checks read of the database.
type Store interface {
	Database(ctx context.Context) (*chatops.DatabaseFacts, error)
	chatops.QueueReader
	QueueAlarm(ctx context.Context) (*chatops.QueueAlarm, error)
	AlertGroups(ctx context.Context, limit, countTo int) (*chatops.AlertGroups, error)
	Alert(ctx context.Context, id int64) (*chatops.Alert, []chatops.Attempt, error)
	Controls(ctx context.Context) (*chatops.Controls, error)
	Instances(ctx context.Context) ([]chatops.Instance, error)
	Jobs(ctx context.Context) (*chatops.JobList, error)
	FollowupDuplicates(ctx context.Context, fn func(chatops.FollowupDuplicate) error) (constraint bool, err error)
	Followups(ctx context.Context, conversationID int64, status chatops.FollowupStatus, limit int) ([]chatops.Followup, error)
	ConsentTexts(ctx context.Context) ([]chatops.ConsentText, error)
}

// Patient is what is examined.
type Patient struct {
	// Store is nil when the database cannot be reached; StoreErr says why, and
	// StoreCommand what repairs it, where that is known.
	Store        Store
	StoreErr     error
	StoreCommand string
	// SchemaFunc reads which migrations are applied.
	SchemaFunc func(ctx context.Context) (*chatops.MigrationStatus, error)
	// ChainFunc reads the whole record of consent; broken are its findings.
	ChainFunc func(ctx context.Context) (rows int64, broken int, err error)
	// RedisFunc asks Redis; nil where none is configured.
	RedisFunc func(ctx context.Context) error
	// DiskFunc measures the file system of an embedded database; nil for others.
	DiskFunc func() (*Disk, error)
	// Integrations are those that are configured here.
	Integrations []Integration
	// Probe says that they are asked whether they can be reached.
	Probe    bool
	Settings Settings
	Limits   chatops.QueueLimits
	NowFunc  func() time.Time
	// AtOnce bounds how many checks run side by side, where others need the
	// database as well. 0: all of them.
	AtOnce int

	timeout time.Duration // of each check
}

// Settings are the checks' part of the configuration.
type Settings struct {
	Problems []string // bad settings, one in a line
	Warnings []string // what is allowed and may surprise
	// Embedded says that the database is SQLite: the installation of a laptop.
	Embedded       bool
	ConsentKeys    bool // CONSENT_KEYS is set
	Escalation     bool // ESCALATION_EMAIL is set
	Mail           bool // SMTP_URL is set
	TrustedProxies bool // TRUSTED_PROXIES is set
}

// Integration is one that is configured, and how to see whether it can be
// reached.
type Integration struct {
	Name string
	// ProbeFunc connects and sends no message.
	ProbeFunc func(ctx context.Context) error
}

// Disk is the file system that an embedded database is on.
type Disk struct {
	Folder      string
	Free, Total int64 // bytes
}
