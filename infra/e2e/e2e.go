//go:build e2e

// Package e2e is for tests against a deployed stack: one stack a run, started
// by withstack (`make test-e2e`) on an engine of its own, on a second engine or
// on AWS, and a tenant of its own for each test, so that tests run side by side.
package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/dropload/dropload/internal/awsclient"
	"github.com/dropload/dropload/internal/execution/sfn"
	"github.com/dropload/dropload/internal/object"
	"github.com/dropload/dropload/internal/object/s3"
	"github.com/dropload/dropload/internal/store/dynamo"
)

// byReference is the records table's index, as the template has it.
const byReference = "by-reference"

// Stack is the deployed stack and what reaches it.
type Stack struct {
	Clients awsclient.Clients

	Objects    *s3.Store
	Records    *dynamo.Table
	Control    *dynamo.Table
	Executions *sfn.Executions

	Bucket, RecordsTable, ControlTable, StateMachine string

	// Tenant is this test's own.
	Tenant string
}

// Open connects a test with the stack that the environment names.
func Open(t *testing.T) *Stack {
	t.Helper()
	s := &Stack{
		Bucket: variable(t, "BUCKET"), RecordsTable: variable(t, "RECORDS_TABLE"),
		ControlTable: variable(t, "CONTROL_TABLE"), StateMachine: variable(t, "STATE_MACHINE_ARN"),
		Tenant: "t" + strings.ToLower(rand.Text())[:15],
	}
	clients, err := awsclient.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Clients = clients
	s.Objects = s3.New(clients.S3, s.Bucket)
	s.Records = dynamo.New(clients.DynamoDB, s.RecordsTable, dynamo.WithIndex(byReference, "ref", "sk"))
	s.Control = dynamo.New(clients.DynamoDB, s.ControlTable)
	s.Executions = sfn.New(clients.SFN, s.StateMachine)
	return s
}

func variable(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set: these tests are run by `make test-e2e`", name)
	}
	return v
}

// Drop puts a file where a feed of the test's tenant picks it up, and returns
// its key.
func (s *Stack) Drop(t *testing.T, feed, name string, content []byte) string {
	t.Helper()
	key := "inbox/" + s.Tenant + "/" + feed + "/" + name
	if _, err := s.Objects.Put(t.Context(), key, bytes.NewReader(content), object.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	return key
}

// Await looks again and again until look finds what it waits for; it fails the
// test when that takes longer than limit. An error of look ends the wait.
func Await[T any](t *testing.T, limit time.Duration, what string, look func(context.Context) (found T, ok bool, err error)) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		found, ok, err := look(ctx)
		if ok && err == nil {
			return found
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited %s for %s", limit, what)
		case <-tick.C:
		}
	}
}

// History are the states that an execution entered, in order.
func (s *Stack) History(t *testing.T, name string) []string {
	t.Helper()
	execution := s.executionARN(name)
	var states []string
	pages := awssfn.NewGetExecutionHistoryPaginator(s.Clients.SFN, &awssfn.GetExecutionHistoryInput{ExecutionArn: &execution})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range page.Events {
			if d := event.StateEnteredEventDetails; d != nil {
				states = append(states, *d.Name)
			}
		}
	}
	return states
}

// Execution describes an execution of the machine by its name.
func (s *Stack) Execution(t *testing.T, name string) *awssfn.DescribeExecutionOutput {
	t.Helper()
	arn := s.executionARN(name)
	out, err := s.Clients.SFN.DescribeExecution(t.Context(), &awssfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *Stack) executionARN(name string) string {
	return strings.Replace(s.StateMachine, ":stateMachine:", ":execution:", 1) + ":" + name
}

// ExecutionEnded awaits the end of an execution and returns how it ended.
func (s *Stack) ExecutionEnded(t *testing.T, name string, limit time.Duration) types.ExecutionStatus {
	t.Helper()
	return Await(t, limit, "the end of execution "+name, func(context.Context) (types.ExecutionStatus, bool, error) {
		status := s.Execution(t, name).Status
		return status, status != types.ExecutionStatusRunning, nil
	})
}

// StartExecution starts the machine with an input, beside what the rule starts,
// and returns the execution's name.
func (s *Stack) StartExecution(t *testing.T, input string) string {
	t.Helper()
	name := "again-" + strings.ToLower(rand.Text())
	_, err := s.Clients.SFN.StartExecution(t.Context(), &awssfn.StartExecutionInput{StateMachineArn: &s.StateMachine, Name: &name, Input: &input})
	if err != nil {
		t.Fatal(err)
	}
	return name
}
