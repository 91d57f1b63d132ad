// Command bench measures what an import costs: rows a second through prepare,
// plan and apply beside the least that a loader must do (read the csv, write
// each row blindly with BatchWriteItem), against the same store in the same
// run; reading beside the libraries that others would take; units of the table,
// requests and memory, counted.
//
// Its numbers are this machine's and this moment's; only the ratios of one run
// mean anything. It prints a table and writes the same as JSON. It needs Java and Maven for
// DynamoDB Local, which it fetches once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"runtime/pprof"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

// How the functions are set, in the template: GOGC and GOMEMLIMIT.
const (
	collectAt   = 400
	memoryLimit = 384 << 20
)

// settings are what the flags say.
type settings struct {
	out, profile, cache string
	only                *regexp.Regexp
	workers             int
	stubRows, localRows int
	scale               int // the largest number of rows of the scale section
}

// section is a part of the benchmark that can be run by itself.
type section struct {
	name string
	run  func(context.Context, *settings, *results) error
}

func sections() []section {
	return []section{
		{"readers", readers},
		{"prepare", prepareAlone},
		{"units", units},
		{"stub", againstStub},
		{"local", againstLocal},
		{"scale", scale},
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s := &settings{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.out, "o", "build/bench.json", "where the results go as JSON")
	flags.StringVar(&s.profile, "profile", "", "a folder for a CPU profile of each section")
	flags.StringVar(&s.cache, "cache", ".dropload/dynamodb-local", "where DynamoDB Local is kept")
	only := flags.String("only", "", "run the sections that match: readers, prepare, units, stub, local, scale")
	flags.IntVar(&s.workers, "workers", 4, "how many workers write at the same time")
	flags.IntVar(&s.stubRows, "stub-rows", 80_000, "rows against the stub")
	flags.IntVar(&s.localRows, "local-rows", 40_000, "rows against DynamoDB Local")
	flags.IntVar(&s.scale, "scale", 1_000_000, "the largest number of rows of which memory and requests are counted")
	child := flags.Int("child", 0, "count one import of so many rows, and print it (used by bench itself)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	debug.SetGCPercent(collectAt)
	if *child > 0 {
		debug.SetMemoryLimit(memoryLimit)
		return countChild(ctx, *child, stdout)
	}
	var err error
	if s.only, err = regexp.Compile(*only); err != nil {
		return err
	}
	res := &results{progress: stderr}
	for _, sec := range sections() {
		if !s.only.MatchString(sec.name) {
			continue
		}
		fmt.Fprintln(stderr, "measuring:", sec.name)
		if err := profiled(s, sec.name, func() error { return sec.run(ctx, s, res) }); err != nil {
			return fmt.Errorf("%s: %w", sec.name, err)
		}
	}
	res.print(stdout)
	return res.write(s.out)
}

// profiled runs f with a CPU profile where one is asked for.
func profiled(s *settings, name string, f func() error) error {
	if s.profile == "" {
		return f()
	}
	if err := os.MkdirAll(s.profile, 0o750); err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(s.profile, name+".pprof"))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return errors.Join(err, out.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}
