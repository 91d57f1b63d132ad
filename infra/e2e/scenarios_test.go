//go:build e2e

package e2e_test

import "testing"

// scenario is one way that files may go, from the bucket to records and report.
type scenario struct {
	name string
	run  func(*testing.T, *trial)
	// alone is for what would disturb the others.
	alone bool
}

// core are the scenarios that run on a second engine too: one of each kind that
// engines may answer differently.
func core() []scenario {
	return []scenario{
		{name: "a killed worker", run: workerKilled, alone: true},
		{name: "a clean csv", run: cleanCSV},
		{name: "one event three times", run: oneEventThreeTimes},
		{name: "a repaired csv in windows-1252", run: repairedCSV},
		{name: "columns that do not fit", run: mappedByAPerson},
		{name: "unmatched companies, decided", run: unmatchedDecided},
		{name: "cancelled while it waits", run: cancelledWaiting},
		{name: "two files of one feed at once", run: twoFilesOfOneFeed},
		{name: "a file name with blanks and umlauts", run: unusualName},
		{name: "files that are no sheets", run: noSheets},
		{name: "a file replaced while it is imported", run: replaced},
		{name: "an aborted execution", run: aborted},
	}
}

// more are the scenarios that run on the first engine and on AWS only.
func more() []scenario {
	return []scenario{
		{name: "a clean xlsx", run: cleanXLSX},
		{name: "a repaired xlsx", run: repairedXLSX},
		{name: "every row is bad", run: everyRowBad},
		{name: "UTF-16", run: utf16CSV},
		{name: "gzip", run: gzipCSV},
		{name: "unmatched companies, created", run: unmatchedCreated},
		{name: "unmatched companies, rejected", run: unmatchedRejected},
		{name: "unmatched companies, ignored", run: unmatchedIgnored},
		{name: "cancelled while it applies", run: cancelledApplying},
		{name: "two feeds for one entity at once", run: twoFeedsOfOneEntity},
		{name: "reviewed, then started", run: reviewedThenStarted},
		{name: "a dry run", run: dryRun},
		{name: "a feed that is not there", run: unknownFeed},
		{name: "edited by a person", run: edited},
		{name: "mapped anew instead of decided", run: mappedAnew},
		{name: "several batches that take the same values", run: severalBatches},
	}
}

func TestCore(t *testing.T) { play(t, core()) }

func TestMore(t *testing.T) { play(t, more()) }

func play(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			if !s.alone {
				t.Parallel()
			}
			s.run(t, begin(t))
		})
	}
}
