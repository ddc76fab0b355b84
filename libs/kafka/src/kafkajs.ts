// kafkajs as it is used here. What is mended before it is loaded comes first.
import './fetched-records.js';
import './group-by-partition.js';
import './record-decoder.js';
import './without-aborted.js';
import kafkajs from 'kafkajs';
import './not-final.js';
import './offsets-of-former-joins.js';
import './produce-request.js';
import './request-queue.js';
import './silent-connection.js';
import './without-empty.js';
import './without-leader.js';

export default kafkajs;
