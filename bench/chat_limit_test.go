package bench

import (
	"fmt"
	"testing"

	"chatops/internal/redistest"
)

// BenchmarkChatLimits sends chat turns to three services that take turns: one
// without limits, one that counts in its memory and one that counts in Redis.
// Every conversation is a visitor with an address of its own.
func BenchmarkChatLimits(b *testing.B) {
	bin := build(b)
	sides := []struct {
		name string
		env  []string
	}{
		{"off", []string{"RATE_LIMIT_ENABLED=false"}},
		{"memory", nil},
		{"redis", []string{"REDIS_URL=" + redistest.New(b)}},
	}
	rates, spent := make([][]float64, len(sides)), make([][]float64, len(sides))
	for range *rounds {
		for i, side := range sides {
			s := start(b, bin, side.env...)
			run := chatTurns(b, s)
			rates[i] = append(rates[i], run.perSecond())
			spent[i] = append(spent[i], ms(treeTime(b, s.cmd.Process.Pid))/float64(len(run.took)))
			if run.failed > 0 {
				b.Errorf("limits %s: %d turns failed", side.name, run.failed)
			}
			s.stop()
		}
	}
	for i, side := range sides[1:] {
		v := versus{what: "chat turn, limits in " + side.name, peer: "without limits", unit: "turns/s"}
		for round := range rates[0] {
			v.add(rates[i+1][round], rates[0][round])
		}
		v.report(b)
	}
	for i, side := range sides { // says more than the clock does on a busy machine
		fmt.Printf("%-34s %8.3f ms of processor per turn in chatops\n", "chat turn, limits "+side.name, median(spent[i]))
	}
}
