package sqs_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/queue/sqs"
)

func TestSendsTenAtATimeAndTellsWhatWasRefused(t *testing.T) {
	t.Parallel()
	var sizes []int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Entries []struct{ ID, MessageBody string }
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		sizes = append(sizes, len(in.Entries))
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if in.Entries[0].MessageBody == "refuse" {
			_, _ = w.Write([]byte(`{"Successful":[],"Failed":[{"Id":"0","Code":"InternalError","SenderFault":false}]}`))
			return
		}
		_, _ = w.Write([]byte(`{"Successful":[],"Failed":[]}`))
	}))
	defer server.Close()
	q := sqs.New(awssqs.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}, func(o *awssqs.Options) { o.DisableMessageChecksumValidation = true }), server.URL+"/q")
	bodies := make([]string, 23)
	for n := range bodies {
		bodies[n] = strconv.Itoa(n)
	}
	if err := q.Send(t.Context(), bodies); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{10, 10, 3}, sizes); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	var transient *fault.Transient
	if err := q.Send(t.Context(), []string{"refuse"}); !errors.As(err, &transient) {
		t.Errorf("refused: %v", err)
	}
	if err := sqs.New(nil, "").Send(t.Context(), bodies); err == nil {
		t.Error("no queue, and no error")
	}
}
