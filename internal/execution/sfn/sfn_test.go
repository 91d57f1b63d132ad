package sfn_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"

	"github.com/dropload/dropload/internal/execution"
	"github.com/dropload/dropload/internal/execution/sfn"
	"github.com/dropload/dropload/internal/fault"
)

// open serves Step Functions that answer every call alike; asked is the last
// request.
func open(t *testing.T, status int, code string) (executions *sfn.Executions, asked func() (op string, body map[string]string)) {
	t.Helper()
	var op string
	var body map[string]string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op, body = r.Header.Get("X-Amz-Target"), nil
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(status)
		if status != http.StatusOK {
			_, _ = io.WriteString(w, `{"__type":"`+code+`","message":"m"}`)
			return
		}
		_, _ = io.WriteString(w, `{"executionArn":"arn","startDate":1}`)
	}))
	t.Cleanup(srv.Close)
	client := awssfn.New(awssfn.Options{
		Region: "eu-north-1", BaseEndpoint: &srv.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	})
	return sfn.New(client, "arn:machine"), func() (string, map[string]string) { return op, body }
}

func TestCalls(t *testing.T) {
	t.Parallel()
	executions, asked := open(t, http.StatusOK, "")
	if err := executions.Start(t.Context(), "name", []byte(`{"a":1}`)); err != nil {
		t.Error(err)
	}
	if op, body := asked(); op != "AWSStepFunctions.StartExecution" || body["name"] != "name" || body["input"] != `{"a":1}` || body["stateMachineArn"] != "arn:machine" {
		t.Errorf("%s %v", op, body)
	}
	if err := executions.Succeed(t.Context(), "token", []byte(`{}`)); err != nil {
		t.Error(err)
	}
	if op, body := asked(); op != "AWSStepFunctions.SendTaskSuccess" || body["taskToken"] != "token" || body["output"] != `{}` {
		t.Errorf("%s %v", op, body)
	}
	if err := executions.Fail(t.Context(), "token", strings.Repeat("ž", 300), strings.Repeat("c", 40_000)); err != nil {
		t.Error(err)
	}
	if op, body := asked(); op != "AWSStepFunctions.SendTaskFailure" || body["error"] != strings.Repeat("ž", 256) || len(body["cause"]) != 32_768 {
		t.Errorf("%s with %d and %d", op, len(body["error"]), len(body["cause"]))
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	transient, other := errors.New("transient"), errors.New("other")
	for code, c := range map[string]struct {
		status        int
		start, answer error
	}{
		"ExecutionAlreadyExists":   {400, nil, other},
		"TaskDoesNotExist":         {400, other, execution.ErrGone},
		"TaskTimedOut":             {400, other, execution.ErrGone},
		"InvalidToken":             {400, other, execution.ErrGone},
		"ThrottlingException":      {400, transient, transient},
		"ServiceUnavailable":       {503, transient, transient},
		"StateMachineDoesNotExist": {400, other, other},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			executions, _ := open(t, c.status, code)
			for call, got := range map[string][2]error{
				"Start":   {executions.Start(t.Context(), "n", []byte(`{}`)), c.start},
				"Succeed": {executions.Succeed(t.Context(), "t", []byte(`{}`)), c.answer},
				"Fail":    {executions.Fail(t.Context(), "t", "E", "c"), c.answer},
			} {
				err, want := got[0], got[1]
				var later *fault.Transient
				switch want {
				case nil, execution.ErrGone:
					if !errors.Is(err, want) {
						t.Errorf("%s: %v, want %v", call, err, want)
					}
				default:
					if err == nil || errors.Is(err, execution.ErrGone) || errors.As(err, &later) != (want == transient) {
						t.Errorf("%s: %v, want %v", call, err, want)
					}
				}
			}
		})
	}
	if err := sfn.New(nil, "").Start(t.Context(), "n", nil); err == nil {
		t.Error("started nothing")
	}
}
