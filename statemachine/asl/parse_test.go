package asl_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/statemachine/asl"
)

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	one := func(state string) string {
		return "{`StartAt`:`A`,`States`:{`A`:" + state + ",`B`:{`Type`:`Succeed`}}}"
	}
	task := "{`Type`:`Task`,`Resource`:`arn:aws:states:::lambda:invoke`,`Parameters`:{`FunctionName`:`f`},`Next`:`B`"
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":                  {"{", "EOF"},
		"no start":                 {"{`StartAt`:`X`,`States`:{`A`:{`Type`:`Succeed`}}}", `"X"`},
		"a target that is not":     {one("{`Type`:`Pass`,`Next`:`C`}"), `"C"`},
		"a default that is not":    {one("{`Type`:`Choice`,`Choices`:[{`Variable`:`$.a`,`IsNull`:true,`Next`:`B`}],`Default`:`C`}"), `"C"`},
		"a catch that goes astray": {one(task + ",`Catch`:[{`ErrorEquals`:[`X`],`Next`:`C`}]}"), `"C"`},
		"no way on":                {one("{`Type`:`Pass`}"), "Next or End"},
		"two ways on":              {one("{`Type`:`Pass`,`Next`:`B`,`End`:true}"), "Next or End"},
		"a misspelt field":         {one("{`Type`:`Pass`,`Paramters`:{},`Next`:`B`}"), "Paramters"},
		"a field of another type":  {one("{`Type`:`Wait`,`Seconds`:1,`Parameters`:{},`Next`:`B`}"), "a Wait has no Parameters"},
		"an unknown type":          {one("{`Type`:`Parallel`,`Next`:`B`}"), "Parallel"},
		"an unknown resource":      {one("{`Type`:`Task`,`Resource`:`arn:x`,`Parameters`:{},`Next`:`B`}"), "arn:x"},
		"a bad path":               {one("{`Type`:`Pass`,`InputPath`:`$.a[*]`,`Next`:`B`}"), "*"},
		"a bad template":           {one("{`Type`:`Pass`,`Parameters`:{`a.$`:`b`},`Next`:`B`}"), "neither a path nor"},
		"a template with a number": {one("{`Type`:`Pass`,`Parameters`:{`a.$`:1},`Next`:`B`}"), "not a text"},
		"a field twice":            {one("{`Type`:`Pass`,`Parameters`:{`a.$`:`$`,`a`:1},`Next`:`B`}"), "both a and a.$"},
		"an unknown intrinsic":     {one("{`Type`:`Pass`,`Parameters`:{`a.$`:`States.UUID()`},`Next`:`B`}"), "States.UUID"},
		"an unknown comparison":    {one("{`Type`:`Choice`,`Choices`:[{`Variable`:`$.a`,`StringIs`:`x`,`Next`:`B`}]}"), "StringIs"},
		"two comparisons":          {one("{`Type`:`Choice`,`Choices`:[{`Variable`:`$.a`,`IsNull`:true,`StringEquals`:`x`,`Next`:`B`}]}"), "one comparison"},
		"a comparison of types":    {one("{`Type`:`Choice`,`Choices`:[{`Variable`:`$.a`,`NumericEquals`:`1`,`Next`:`B`}]}"), "another type"},
		"ALL not alone":            {one(task + ",`Retry`:[{`ErrorEquals`:[`States.ALL`,`X`]}]}"), "alone"},
		"ALL not last":             {one(task + ",`Catch`:[{`ErrorEquals`:[`States.ALL`],`Next`:`B`},{`ErrorEquals`:[`X`],`Next`:`B`}]}"), "last"},
		"an inline map":            {one("{`Type`:`Map`,`ItemProcessor`:{`ProcessorConfig`:{`Mode`:`INLINE`},`StartAt`:`B`,`States`:{}},`Next`:`B`}"), "DISTRIBUTED"},
		"JSONata":                  {"{`QueryLanguage`:`JSONata`,`StartAt`:`B`,`States`:{`B`:{`Type`:`Succeed`}}}", "JSONata"},
		"no substitution":          {one(strings.Replace(task, "`f`", "`${Nobody}`", 1) + "}"), "Nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := asl.Parse([]byte(strings.ReplaceAll(c.text, "`", `"`)), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want it to name %s", err, c.want)
			}
		})
	}
}

func TestSubstitutions(t *testing.T) {
	t.Parallel()
	text := []byte(`{"StartAt":"A","States":{"A":{"Type":"Fail","Error":"${B}","Cause":"${A} ${B}"}}}`)
	if diff := cmp.Diff([]string{"A", "B"}, asl.Placeholders(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m, err := asl.Parse(text, map[string]string{"A": `with "quotes"`, "B": "b", "C": "not used"})
	if err != nil {
		t.Fatal(err)
	}
	if s := m.States["A"]; s.Error != "b" || s.Cause != `with "quotes" b` {
		t.Errorf("%+v", s)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	sound := "`TimeoutSeconds`:60,`Retry`:[{`ErrorEquals`:[`Transient`]}],`Catch`:[{`ErrorEquals`:[`States.ALL`],`ResultPath`:`$.error`,`Next`:`End`}]"
	task := func(rest string) string {
		return "{`Type`:`Task`,`Resource`:`arn:aws:states:::lambda:invoke`,`Parameters`:{`FunctionName`:`f`,`Payload`:{`b.$`:`$.b`,`a`:1}},`ResultSelector`:{`x.$`:`$.Payload.x`},`Next`:`End`," + rest + "}"
	}
	for name, c := range map[string]struct {
		machine string
		want    []string
	}{
		"sound": {"{`StartAt`:`A`,`States`:{`A`:" + task(sound) + ",`End`:{`Type`:`Succeed`}}}", nil},
		"bare":  {"{`StartAt`:`A`,`States`:{`A`:" + strings.Replace(task(""), ",}", "}", 1) + ",`End`:{`Type`:`Succeed`},`Lost`:{`Type`:`Succeed`}}}", []string{"A: has no Catch of States.ALL", "A: has no Retry", "A: has no TimeoutSeconds", "Lost: is never reached"}},
		"careless": {"{`StartAt`:`A`,`States`:{`A`:" + task("`TimeoutSeconds`:1,`Retry`:[{`ErrorEquals`:[`States.ALL`]}],`Catch`:[{`ErrorEquals`:[`States.ALL`],`Next`:`C`}]") +
			",`C`:{`Type`:`Choice`,`Choices`:[{`Variable`:`$.a`,`IsNull`:true,`Next`:`End`}]},`End`:{`Type`:`Succeed`}}}", []string{"A: has a Catch that throws the input away", "A: tries States.ALL again, which covers permanent errors", "C: has no Default, and no Catch can see that"}},
		"map": {strings.Replace(mapping(0, "`StartAt`:`W`,`States`:{`W`:"+strings.Replace(task(sound), "`Next`:`End`,", "`Next`:`End`,", 1)+",`End`:{`Type`:`Succeed`},`Lost`:{`Type`:`Fail`}}"), "`MaxConcurrency`:0,", "", 1), []string{
			"M/End: ends with its whole input as the output, and all outputs together may not pass 256 KB", "M/Lost: is never reached", "M: has no MaxConcurrency"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, asl.Check(parse(t, c.machine))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	m := parse(t, "{`StartAt`:`A`,`States`:{`A`:"+task(sound)+",`End`:{`Type`:`Succeed`}}}")
	want := []asl.Payload{{State: "A", Function: "f", Fields: []string{"a", "b"}, Selected: []string{"$.Payload.x"}}}
	if diff := cmp.Diff(want, asl.Payloads(m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"States.ALL", "Transient"}, asl.Errors(m)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
