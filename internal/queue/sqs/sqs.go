// Package sqs is queue.Queue over Amazon SQS.
package sqs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/dropload/dropload/internal/awsclient/awserr"
	"github.com/dropload/dropload/internal/fault"
	"github.com/dropload/dropload/internal/queue"
)

// batch is how many messages SQS takes at once.
const batch = 10

// Queue is one queue of SQS.
type Queue struct {
	client *sqs.Client
	url    string
}

var _ queue.Queue = (*Queue)(nil)

// New returns the queue with that URL; it may be "" where nothing is sent.
func New(client *sqs.Client, url string) *Queue { return &Queue{client: client, url: url} }

// Send implements queue.Queue. Returns *fault.Transient where it may go through
// later.
func (q *Queue) Send(ctx context.Context, bodies []string) error {
	if q.url == "" {
		return errors.New("queue: no queue to send to: QUEUE_URL is not set")
	}
	for chunk := range slices.Chunk(bodies, batch) {
		entries := make([]types.SendMessageBatchRequestEntry, len(chunk))
		for n := range chunk {
			entries[n] = types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(n)), MessageBody: &chunk[n]}
		}
		out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
		if err != nil {
			return awserr.Wrap(ctx, "SendMessageBatch", err)
		}
		if len(out.Failed) > 0 {
			return &fault.Transient{Cause: fmt.Errorf("SendMessageBatch: %d refused: %s", len(out.Failed), aws.ToString(out.Failed[0].Code))}
		}
	}
	return nil
}
