package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/infra/local"
	"github.com/dropload/dropload/internal/importer"
	"github.com/dropload/dropload/internal/record"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

const (
	goodFile   = "Code;Name\nA1;Ašara\nB2;Nord\n"
	mixedFile  = "E-mail;First name;Company\na@x.example;Anna;\nnope;Bo;\nc@x.example;Cy;Nowhere\n"
	wrongFile  = "Mail;Vorn.;Firma\na@x.example;Anna;Nord\n"
	nobodyFile = "E-mail;First name\nnope;Bo\n"
)

// The exit status and the JSON of an import are a contract.
func TestImportEndsWithItsStatus(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file   string
		args   []string
		status int
	}{
		"completed":              {goodFile, []string{"--entity", "companies"}, 0},
		"completed_with_rejects": {mixedFile, []string{"--entity", "contacts"}, 3},
		"dry_run":                {goodFile, []string{"--entity", "companies", "--dry-run"}, 0},
		"created_on_the_way":     {mixedFile, []string{"--entity", "contacts", "--unmatched", "create"}, 3},
		"ignored":                {mixedFile, []string{"--entity", "contacts", "--unmatched", "ignore"}, 3},
		"needs_mapping":          {wrongFile, []string{"--entity", "contacts"}, 4},
		"needs_decision":         {mixedFile, []string{"--entity", "contacts", "--attended"}, 4},
		"ready":                  {goodFile, []string{"--entity", "companies", "--start", "on_word"}, 4},
		"failed":                 {nobodyFile, []string{"--entity", "contacts"}, 1},
		"intolerable":            {mixedFile, []string{"--entity", "contacts", "--tolerated-share", "0.1"}, 1},
		"empty":                  {"", []string{"--entity", "contacts"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			args := append([]string{"import", s.file("file.csv", c.file), "--watch", "--json"}, c.args...)
			r := s.must(c.status, args...)
			if r.stderr != "" {
				t.Errorf("standard error: %s", r.stderr)
			}
			golden(t, "import-"+name+".json", steady(r.out))

			var m importJSON
			if err := json.Unmarshal([]byte(r.out), &m); err != nil {
				t.Fatal(err)
			}
			if shown := s.must(0, "show", m.ID, "--json"); shown.out != r.out {
				t.Errorf("show (-import +show):\n%s", cmp.Diff(r.out, shown.out))
			}
			s.must(c.status, "watch", m.ID, "--json")
		})
	}
}

// A person maps, decides, looks at the plan and starts it.
func TestAPersonIsNeeded(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.must(0, "import", s.file("known.csv", "Code;Name\nK1;Known Ltd.\n"), "--entity", "companies", "--watch")
	file := s.file("people.csv", "Mail;Vorn.;Firma;Tel. 1;x\n"+
		"a@x.example;Anna;Known Ltd.;030 23125001;1\nb@x.example;Bo;Neu GmbH;030 23125002;2\nc@x.example;Cy;Alt AG;030 23125003;3\nd@x.example;Di;Known Ldt.;030 23125004;4\n")
	r := s.must(4, "import", file, "--entity", "contacts", "--watch", "--country", "de", "--attended", "--start", "on_word")
	id := ids.FindString(r.out)
	if !strings.Contains(r.out, "needs mapping") || !strings.Contains(r.out, "dropload map "+id+" --auto") {
		t.Errorf("it does not say what to do:\n%s", r.out)
	}

	r = s.must(0, "map", id)
	if !strings.Contains(r.out, "Tel. 1") || !strings.Contains(r.out, "030 23125001") || !strings.Contains(r.out, "phone") {
		t.Errorf("columns:\n%s", r.out)
	}
	s.must(2, "map", id, "--column", "Nope=phone")
	s.must(2, "map", id, "--column", "Mail=nope")
	r = s.must(4, "map", id, "--auto", "--column", "vorn.=first_name", "--column", "Tel. 1=phone", "--column", "Firma=company",
		"--column", "Mail=email", "--constant", "language=de", "--save", "CRM Export", "--watch", "--json")
	var m importJSON
	if err := json.Unmarshal([]byte(r.out), &m); err != nil {
		t.Fatal(err)
	}
	if m.State != importer.NeedsDecision || m.Waits == nil || *m.Waits != "decision" {
		t.Fatalf("after the mapping: %s", r.out)
	}

	r = s.must(0, "decide", id, "--list", "--json")
	if n := strings.Count(r.out, "\n"); n != 3 || !strings.Contains(r.out, `{"field":"company","name":"Neu GmbH","row":3,"rows":1,"keys":[],"near":[]}`) {
		t.Errorf("%d names:\n%s", n, r.out)
	}
	if r := s.must(1, "decide", id, "--create", "Nobody"); !strings.Contains(r.stderr, `"Nobody"`) {
		t.Error(r.stderr)
	}
	if r := s.must(1, "decide", id, "--use", "Known Ldt.=K9"); !strings.Contains(r.stderr, "decision_invalid") {
		t.Error(r.stderr)
	}
	if r := s.must(0, "decide", id); !strings.Contains(r.out, "near: Known Ltd. (k1)") {
		t.Errorf("no near name:\n%s", r.out)
	}
	s.must(4, "decide", id, "--create", "NEU gmbh", "--use", "known ldt.=k1", "--remember", "--watch")
	r = s.must(4, "decide", id, "--all", "ignore", "--watch", "--json")
	if err := json.Unmarshal([]byte(r.out), &m); err != nil {
		t.Fatal(err)
	}
	planned := record.Counts{Read: 4, Created: 3, Ignored: 1}
	if m.State != importer.Ready || !m.NothingWritten || m.Rows != planned || m.Made != 1 {
		t.Fatalf("the plan: %s", r.out)
	}
	if r := s.must(0, "records", "contacts"); r.out != "" {
		t.Errorf("written before the start:\n%s", r.out)
	}

	r = s.must(0, "start", id, "--watch", "--json")
	if err := json.Unmarshal([]byte(r.out), &m); err != nil {
		t.Fatal(err)
	}
	if m.State != importer.Completed || m.Rows != planned {
		t.Fatalf("the end: %s", r.out)
	}
	if r := s.must(0, "report", id, "--ignored", "-o", "-"); !strings.Contains(r.out, "c@x.example;Cy;Alt AG") || strings.Contains(r.out, "Anna") {
		t.Errorf("ignored rows:\n%s", r.out)
	}
	if r := s.must(1, "report", id); !strings.Contains(r.stderr, "has no rejected rows") {
		t.Error(r.stderr)
	}
	// The template that was saved maps the next file.
	r = s.must(0, "import", file, "--template", "crm-export", "--unmatched", "ignore", "--start", "now", "--watch", "--json")
	if err := json.Unmarshal([]byte(r.out), &m); err != nil {
		t.Fatal(err)
	}
	if want := (record.Counts{Read: 4, Unchanged: 3, Ignored: 1}); m.Rows != want {
		t.Errorf("again: %+v", m.Rows)
	}
	s.must(1, "start", id)
	s.must(1, "cancel", id)
}

func TestRowsAreEdited(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r := s.must(4, "import", s.file("f.csv", "E-mail;First name;a=b\nnope;Anna;\nb@x.example;Bo;\nc@x.example;Cy;\n"),
		"--entity", "contacts", "--start", "on_word", "--watch")
	id := ids.FindString(r.out)
	if !strings.Contains(r.out, "3 read = 2 created + 0 updated + 0 unchanged + 1 rejected + 0 ignored") {
		t.Errorf("before: %s", r.out)
	}
	for _, args := range [][]string{{}, {"--cell", "2=x"}, {"--cell", "2:Nope=x"}, {"--cell", "1:E-mail=x"}, {"--leave-out", "1"}} {
		s.must(2, append([]string{"edit", id}, args...)...)
	}
	r = s.must(4, "edit", id, "--cell", "2:e-mail=a@x.example", "--cell", "2:a=b=c=d", "--leave-out", "4", "--watch", "--json")
	var m importJSON
	if err := json.Unmarshal([]byte(r.out), &m); err != nil {
		t.Fatal(err)
	}
	if want := (record.Counts{Read: 3, Created: 2, Ignored: 1}); m.Rows != want || m.Round != 2 {
		t.Errorf("after: %s", r.out)
	}
	s.must(0, "start", id, "--watch")
	if r := s.must(0, "records", "contacts"); !strings.Contains(r.out, "a@x.example") || strings.Contains(r.out, "c@x.example") {
		t.Errorf("records:\n%s", r.out)
	}
}

func TestCancelShowsTheEnd(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r := s.must(4, "import", s.file("f.csv", goodFile), "--entity", "companies", "--start", "on_word", "--watch")
	r = s.must(0, "cancel", ids.FindString(r.out))
	if !strings.Contains(r.out, "cancelled, nothing was written") {
		t.Error(r.out)
	}
	if r := s.must(0, "records", "companies"); r.out != "" {
		t.Errorf("written:\n%s", r.out)
	}
}

func TestReportIsFetched(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r := s.must(3, "import", s.file("größer als.csv", mixedFile), "--entity", "contacts", "--watch")
	id := ids.FindString(r.out)
	path := filepath.Join(s.dir, "out put.csv")
	if r := s.must(0, "report", id, "-o", path); r.out != path+"\n" {
		t.Errorf("it says %q", r.out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[1], "nope;Bo;;3;email;email_invalid;") {
		t.Errorf("report:\n%s", data)
	}
	if r := s.must(0, "report", id, "-o", "-"); r.out != string(data) {
		t.Error("standard output has another report")
	}
	var summary struct {
		Rows record.Counts `json:"rows"`
	}
	if err := json.Unmarshal([]byte(s.must(0, "report", id, "--summary", "-o", "-").out), &summary); err != nil || summary.Rows.Read != 3 {
		t.Errorf("summary: %+v %v", summary, err)
	}
	s.must(1, "report", id, "-o", filepath.Join(s.dir, "no folder", "x.csv"))
}

func TestRecords(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.must(0, "import", s.file("c.csv", "Code;Name;Credit limit;Street;City;Stage;Notes\n"+
		"K1;Known <&> Ltd.;1500.50;Hauptstr. 5;Berlin;customer;\"two\nlines\"\n"), "--entity", "companies", "--watch")
	s.must(0, "import", s.file("p.csv", "Code;Name;Active;Price\nP1;Pen;yes;0.30\n"), "--entity", "products", "--watch")
	golden(t, "records-companies.jsonl", s.must(0, "records", "companies", "--json").out)
	golden(t, "records-companies.txt", s.must(0, "records", "companies").out+"\n"+s.must(0, "records", "companies", "k1").out)
	golden(t, "records-products.jsonl", s.must(0, "records", "products", "P1", "--json").out)
	if r := s.must(0, "records", "contacts", "--json"); r.out != "" {
		t.Errorf("no records are %q", r.out)
	}
	if r := s.must(1, "records", "companies", "K2"); !strings.Contains(r.stderr, `no record with the key "K2"`) {
		t.Error(r.stderr)
	}
}

func TestImportsAreListed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, name := range []string{"one.csv", "two.csv", "three.csv"} {
		s.must(0, "import", s.file(name, goodFile), "--entity", "companies", "--watch")
	}
	s.must(3, "import", s.file("people.csv", mixedFile), "--entity", "contacts", "--watch")
	files := func(args ...string) (names []string) {
		for line := range strings.Lines(s.must(0, append([]string{"imports", "--json"}, args...)...).out) {
			var m importJSON
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatal(err)
			}
			names = append(names, m.File)
		}
		return names
	}
	if d := cmp.Diff([]string{"people.csv", "three.csv", "two.csv", "one.csv"}, files()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"three.csv", "two.csv"}, files("--feed", "companies", "--limit", "2")); d != "" {
		t.Error(d)
	}
	if r := s.must(0, "imports"); strings.Count(r.out, "\n") != 5 || !strings.Contains(r.out, "completed with rejects") {
		t.Error(r.out)
	}
}

func TestWithoutWatchTheIDIsPrinted(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r := s.must(0, "import", s.file("f.csv", goodFile), "--feed", "companies")
	id := strings.TrimSpace(r.out)
	if !ids.MatchString(id) || len(id) != 16 {
		t.Fatalf("it prints %q", r.out)
	}
	r = s.must(0, "watch", id)
	if !strings.Contains(r.out, "2 read = 2 created + 0 updated + 0 unchanged + 0 rejected + 0 ignored") {
		t.Error(r.out)
	}
	for _, state := range []string{"received", "inspecting", "preparing", "planning", "applying", "completed"} {
		if !strings.Contains(r.stderr, state) {
			t.Errorf("%s is not told:\n%s", state, r.stderr)
		}
	}
}

func TestTenantOfOnesOwn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	file := s.file("f.csv", goodFile)
	if r := s.must(1, "import", file, "--entity", "companies", "--tenant", "acme"); !strings.Contains(r.stderr, "tenant_unknown") {
		t.Error(r.stderr)
	}
	r := s.must(0, "tenant", "acme", "--json")
	var made struct {
		Tenant string            `json:"tenant"`
		Feeds  map[string]string `json:"feeds"`
	}
	if err := json.Unmarshal([]byte(r.out), &made); err != nil || made.Tenant != "acme" || made.Feeds["companies"] != "inbox/acme/companies/" {
		t.Errorf("%s %v", r.out, err)
	}
	s.must(0, "tenant", "acme")
	s.must(0, "import", file, "--entity", "companies", "--tenant", "acme", "--watch")
	s.must(1, "tenant", "Not A Name")
}

func TestOwnFieldsAndEntities(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	field := s.file("vip.json", `{"name": "vip", "extends": "companies", "fields": [{"name": "vip", "type": "boolean", "titles": {"en": "VIP"}}]}`)
	branches := s.file("branches.json", `{"name": "branches", "key": "number", "titles": {"en": "Branches"}, "fields": [{"name": "number", "type": "code", "titles": {"en": "Number"}}]}`)
	if r := s.must(0, "define", field, branches, "--json"); !strings.Contains(r.out, `"extends":"companies"`) || !strings.Contains(r.out, `"name":"branches"`) {
		t.Error(r.out)
	}
	s.must(0, "import", s.file("c.csv", "Code;Name;VIP\nA;Alt;yes\n"), "--entity", "companies", "--watch")
	s.must(0, "import", s.file("b.csv", "Number\n7\n"), "--entity", "branches", "--watch")
	if r := s.must(0, "records", "companies", "A", "--json"); !strings.Contains(r.out, `"vip":true`) {
		t.Error(r.out)
	}
	if r := s.must(0, "records", "branches", "--json"); r.out != `{"key":"7","fields":{"number":"7"}}`+"\n" {
		t.Error(r.out)
	}
	if r := s.must(1, "define", s.file("bad.json", `{"name": "bad"}`)); !strings.Contains(r.stderr, "bad.json") || !strings.Contains(r.stderr, "definition_invalid") {
		t.Error(r.stderr)
	}
}

// The same credits a second time wait for a yes that names the earlier import.
func TestPointsAreShownAndNotCreditedTwiceUnasked(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	file := s.file("m.csv", "Phone;Name;Points;Points currency\n+491714567890;Anna;10.5;EUR\n")
	r := s.must(0, "import", file, "--entity", "members", "--watch")
	earlier := ids.FindString(r.out)
	golden(t, "records-member.jsonl", steady(s.must(0, "records", "members", "+491714567890", "--json").out))
	if r := s.must(0, "records", "members", "+491714567890"); !strings.Contains(r.out, "10.5 EUR") {
		t.Error(r.out)
	}
	r = s.must(4, "import", file, "--entity", "members", "--watch")
	later := ids.FindString(r.out)
	if !strings.Contains(r.out, "credited by the import "+earlier) || !strings.Contains(r.out, "dropload start "+later) {
		t.Errorf("it does not name the earlier import %s:\n%s", earlier, r.out)
	}
	s.must(0, "start", later, "--watch")
	if r := s.must(0, "records", "members", "+491714567890"); !strings.Contains(r.out, "21 EUR") {
		t.Error(r.out)
	}
}

func TestDemoRunsAgainAndAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	last := func(r result) string {
		lines := strings.Split(strings.TrimRight(r.out, "\n"), "\n")
		return lines[len(lines)-1]
	}
	r := s.must(0, "demo")
	if got, want := last(r), "demo: 199 read = 180 created + 1 updated + 0 unchanged + 18 rejected + 0 ignored"; got != want {
		t.Errorf("the last line is %q, want %q\n%s%s", got, want, r.out, r.stderr)
	}
	if !strings.Contains(r.out, "email_invalid") || !strings.Contains(r.out, "-o contacts.rejected.csv") {
		t.Errorf("it does not show the report:\n%s", r.out)
	}
	r = s.must(0, "demo")
	if got, want := last(r), "demo: 199 read = 0 created + 0 updated + 181 unchanged + 18 rejected + 0 ignored"; got != want {
		t.Errorf("the last line is %q, want %q", got, want)
	}
}

// Mistakes in the command line are found before a stack is asked, end with 2,
// and are said in one line.
func TestMistakesInTheCommandLine(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f.csv")
	if err := os.WriteFile(file, []byte(goodFile), 0o600); err != nil {
		t.Fatal(err)
	}
	unreached := func(context.Context, *stackFlags) (*session, error) {
		return nil, errors.New("the stack was asked")
	}
	for _, c := range []struct{ args, says string }{
		{"nonsense", "no command"},
		{"imprt", "import"},
		{"show", "usage: dropload show ID"},
		{"show a b", "usage: dropload show ID"},
		{"show --nonsense a", "--nonsense"},
		{"inspect", "FILE"},
		{"import FILE", "--entity"},
		{"import FILE --entity contacts --unmatched maybe", "ask, create, reject, ignore"},
		{"import FILE --entity contacts --mode x", "create_only"},
		{"import FILE --entity contacts --start later", "on_word"},
		{"import FILE --entity contacts --start-at tomorrow", "2026-"},
		{"import FILE --entity contacts --start now --start-at 2026-03-01T06:00:00Z", "exclude"},
		{"import FILE --entity contacts --tolerated-share 2", "0 to 1"},
		{"import FILE --entity contacts --tolerated-share x", "tolerated-share"},
		{"import FILE --entity contacts --language tlh", "en, de"},
		{"import FILE --entity contacts --decimal-mark x", "decimal-mark"},
		{"import FILE --entity contacts --repeats x", "in_order"},
		{"imports --limit 0", "--limit"},
		{"map ID --column Mail", "HEADER=FIELD"},
		{"map ID --constant language=", "FIELD=VALUE"},
		{"map ID --save x", "--save"},
		{"map ID --auto --save !!", "letters"},
		{"map ID --file x --auto", "--file"},
		{"decide ID --all use", "create, ignore or reject"},
		{"decide ID --use Nord", "NAME=KEY"},
		{"report ID --ignored --summary", "ignored"},
		{"records", "ENTITY"},
	} {
		args := strings.Fields(strings.ReplaceAll(c.args, "FILE", file))
		r := runWith(t, unreached, args...)
		if r.status != 2 || r.out != "" || strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "dropload: ") || !strings.Contains(r.stderr, c.says) {
			t.Errorf("dropload %s: status %d, says %q and %q, want %q", c.args, r.status, r.out, r.stderr, c.says)
		}
	}
}

func TestMistakesThatTheStackTells(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	file := s.file("f.csv", goodFile)
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"show nope", 1, "import_unknown"},
		{"import FILE --entity nope", 2, "companies, contacts"},
		{"import FILE --feed nope", 1, "feed_unknown"},
		{"import FILE --feed companies --entity contacts", 2, "is for companies"},
		{"import FILE --template nope", 1, "template_unknown"},
		{"import FILE --template standard-companies --entity contacts", 2, "is for companies"},
		{"import FILE.gone --entity companies", 1, "no such file"},
		{"import DIR --entity companies", 1, "is no file"},
		{"records nope", 2, "companies, contacts"},
		{"start nope", 1, "import_unknown"},
		{"decide nope --all create", 1, "import_unknown"},
	} {
		args := strings.Fields(strings.NewReplacer("FILE", file, "DIR", s.dir).Replace(c.args))
		r := s.dropload(args...)
		if r.status != c.status || r.out != "" || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, c.says) {
			t.Errorf("dropload %s: status %d, says %q and %q, want %q", c.args, r.status, r.out, r.stderr, c.says)
		}
	}
}

func TestWithoutAStackItSaysHowToGetOne(t *testing.T) {
	for _, name := range []string{"BUCKET", "CONTROL_TABLE"} {
		t.Setenv(name, "")
	}
	t.Setenv("DROPLOAD_STATE", t.TempDir())
	file := filepath.Join(t.TempDir(), "f.csv")
	if err := os.WriteFile(file, []byte(goodFile), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runWith(t, openStack, "import", file, "--entity", "companies")
	if r.status != 1 || r.stderr != "dropload: "+local.ErrNotUp.Error()+"\n" || !strings.Contains(r.stderr, "dropload up") {
		t.Errorf("status %d: %s", r.status, r.stderr)
	}
	r = runWith(t, openStack, "imports", "--profile", "x")
	if r.status != 2 || !strings.Contains(r.stderr, "--stack") {
		t.Errorf("status %d: %s", r.status, r.stderr)
	}
}
