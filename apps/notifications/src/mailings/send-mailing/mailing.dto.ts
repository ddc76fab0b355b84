import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length, Matches } from 'class-validator';

/** A mailing to everybody who may be mailed. */
export class MailingDto {
  @ApiProperty({ maxLength: 200, description: 'One line.' })
  @IsString()
  @Length(1, 200)
  @Matches(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, { message: 'subject must be one line' })
  subject!: string;

  @ApiProperty({ maxLength: 20_000, description: 'Plain text.' })
  @IsString()
  @Length(1, 20_000)
  text!: string;
}
