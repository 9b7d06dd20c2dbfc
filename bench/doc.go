// Package bench measures chatops beside the peers that it must beat, in one run
// and in turn, and prints both sides and their ratio as medians over several
// rounds. It is a module of its own so that the peers are no dependencies of
// the product. It holds benchmarks only; run them with "make bench", or one with
//
//	cd bench && go test -run '^$' -bench Drain -benchtime 1x -timeout 60m
//
// Nothing here passes or fails by the clock.
package bench
