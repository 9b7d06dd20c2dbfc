// Command chatops is the chatbot's backend and its runbook in one binary. This
// package is the only one that knows all the others: it opens the store that
// the settings name, wires the service, and turns the end of a run into an exit
// code. What commands do is in internal/runbook.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"chatops/docs"
	"chatops/internal/runbook"
	"chatops/migrations"
)

func main() { os.Exit(run(os.Args[1:])) } //nolint:forbidigo // the one place that exits

// run carries out one command line. The first SIGINT or SIGTERM asks the
// command to stop, a second one ends the process at once.
func run(args []string) int {
	// A reader that has gone (`| head`, a closed log pipe) must be an error of
	// that write, which commands treat as their end and the service ignores.
	signal.Ignore(syscall.SIGPIPE)
	ctx, cancel := untilSignal()
	defer cancel()

	return runbook.Run(ctx, environment(), args)
}

// environment is the process's own, with everything that commands open.
func environment() *runbook.Env {
	env := runbook.NewEnv()
	env.OpenStoreFunc = openStore
	env.OpenMigratorFunc = openMigrator
	env.ServeFunc = serve
	env.DeliverFunc = deliver
	env.CarryFunc = carry
	env.SchemaVersionFunc = migrations.Latest
	env.CheckKnowledgeFunc = checkKnowledge
	env.AskKnowledgeFunc = askKnowledge
	env.OpenChatFunc = openChat
	env.DashboardFunc = showDashboard
	env.LookFunc = lookOnce
	env.PatientFunc = examineAround
	env.ChangeFileFunc = changeFile
	env.Operations = docs.Operations
	return env
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. The
// second one ends the process as if it had never been caught, however quickly
// it follows the first: the channel has room for both.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-caught
		cancel()
		again := <-caught
		signal.Reset(again)
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Signal(again)
		}
	}()
	return ctx, cancel
}
