package runbook

import "github.com/spf13/cobra"

// group is a noun whose verbs are commands. A noun of two words is listed after
// that of its first.
type group struct {
	name, short string
	hidden      bool // from the help
}

func groups() []group {
	return []group{
		{name: "dlq", short: "Alerts that wait, failed or were delivered"},
		{name: "dlq operations", short: "Bulk changes of alerts: how far they are, and steering them"},
		{name: "breaker", short: "Circuit breakers of the integrations, in every replica"},
		{name: "limiter", short: "Rate limits and blocked clients, in every replica"},
		{name: "consent", short: "Consent and the rights of the people whose data is kept"},
		{name: "consent audit", short: "The record of consent, and whether it was tampered with"},
		{name: "consent texts", short: "The wordings that people agree to, in versions"},
		{name: "jobs", short: "What runs by the clock, in one replica or in each"},
		{name: "followup", short: "Mails to visitors who have stopped writing"},
		{name: "audit", short: "Who changed what"},
		{name: "migrate", short: "The database's schema"},
		{name: "knowledge", short: "What the bot knows, for those who write it"},
		{name: "config", short: "The settings and where they come from"},
		{name: "docs", short: "Files made from the commands themselves", hidden: true},
	}
}

// entry is one command: the noun, or the command, it belongs to and how it is
// made.
type entry struct {
	group   string
	newFunc func(*Env) *cobra.Command
}

// catalogue lists every command.
func catalogue() []entry {
	return []entry{
		{"", newServe},
		{"", newDashboard},
		{"", newDoctor},
		{"", newDrill},
		{"dlq", newDLQList},
		{"dlq", newDLQShow},
		{"dlq", newDLQStats},
		{"dlq", newDLQGroups},
		{"dlq groups", newDLQGroupsNote},
		{"dlq groups", newDLQGroupsAck},
		{"dlq groups", newDLQGroupsMute},
		{"dlq groups", newDLQGroupsUnmute},
		{"dlq", newDLQEdit},
		{"dlq", newDLQExport},
		{"dlq", newDLQImport},
		{"dlq", newDLQRetry},
		{"dlq", newDLQDiscard},
		{"dlq", newDLQAck},
		{"dlq operations", newOperationsList},
		{"dlq operations", newOperationsShow},
		{"dlq operations", newOperationsPause},
		{"dlq operations", newOperationsResume},
		{"dlq operations", newOperationsCancel},
		{"dlq operations", newOperationsRate},
		{"dlq operations", newOperationsFailures},
		{"breaker", newBreakerStatus},
		{"breaker", newBreakerTrip},
		{"breaker", newBreakerReset},
		{"breaker", newBreakerAuto},
		{"limiter", newLimiterStatus},
		{"limiter", newLimiterSet},
		{"limiter", newLimiterUnset},
		{"limiter", newLimiterBlock},
		{"limiter", newLimiterUnblock},
		{"consent", newConsentLookup},
		{"consent", newConsentUnsubscribe},
		{"consent", newConsentRevoke},
		{"consent", newConsentGrant},
		{"consent", newConsentExport},
		{"consent", newConsentErase},
		{"consent", newConsentAccessLog},
		{"consent", newConsentImport},
		{"consent", newConsentRetention},
		{"consent audit", newConsentAuditVerify},
		{"consent audit", newConsentAuditAnchor},
		{"consent texts", newConsentTextsList},
		{"consent texts", newConsentTextsAdd},
		{"jobs", newJobsList},
		{"jobs", newJobsRun},
		{"jobs", newJobsPause},
		{"jobs", newJobsResume},
		{"followup", newFollowupDue},
		{"followup", newFollowupList},
		{"followup", newFollowupDuplicates},
		{"audit", newAuditList},
		{"migrate", newMigrateUp},
		{"migrate", newMigrateDown},
		{"migrate", newMigrateStatus},
		{"migrate", newMigrateRedo},
		{"", newChat},
		{"knowledge", newKnowledgeCheck},
		{"knowledge", newKnowledgeSearch},
		{"", newWhoami},
		{"config", newConfigView},
		{"config", newConfigCheck},
		{"", newCompletion},
		{"", newVersion},
		{"docs", newDocsGenerate},
	}
}
