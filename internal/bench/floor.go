package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
)

// blindLoad is the floor: it reads a csv and writes each row as it is, whatever
// was there, 25 a request, with so many workers. It returns rows a second.
func blindLoad(ctx context.Context, client *dynamodb.Client, file []byte, workers int) (float64, error) {
	begin := time.Now()
	batches := make(chan []types.WriteRequest, workers)
	g, ctx := errgroup.WithContext(ctx)
	for range workers {
		g.Go(func() error {
			for requests := range batches {
				for len(requests) > 0 {
					out, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
						RequestItems: map[string][]types.WriteRequest{floorTable: requests},
					})
					if err != nil {
						return err
					}
					requests = out.UnprocessedItems[floorTable]
				}
			}
			return nil
		})
	}
	rows := 0
	g.Go(func() error {
		defer close(batches)
		r := csv.NewReader(bytes.NewReader(file))
		r.ReuseRecord = true
		header, err := r.Read()
		if err != nil {
			return err
		}
		names := append([]string(nil), header...)
		var batch []types.WriteRequest
		for {
			record, err := r.Read()
			end := errors.Is(err, io.EOF)
			if err != nil && !end {
				return err
			}
			if !end {
				rows++
				item := make(map[string]types.AttributeValue, len(names)+1)
				item["pk"] = &types.AttributeValueMemberS{Value: "floor#" + strconv.Itoa(rows%64)}
				item["sk"] = &types.AttributeValueMemberS{Value: record[0]}
				for i := 1; i < len(record); i++ {
					item[names[i]] = &types.AttributeValueMemberS{Value: record[i]}
				}
				batch = append(batch, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
			}
			if len(batch) == 25 || end && len(batch) > 0 {
				select {
				case batches <- batch:
				case <-ctx.Done():
					return ctx.Err()
				}
				batch = make([]types.WriteRequest, 0, 25)
			}
			if end {
				return nil
			}
		}
	})
	err := g.Wait()
	return float64(rows) / time.Since(begin).Seconds(), err
}
